import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { type PairRow, parsePairTable, rowTimes } from "../../align/pairs/table.js";
import type { UnitVector } from "../../core/embedding.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Recipe } from "../../core/recipe.js";
import type { Tensor } from "../../core/tensor.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Tower } from "../../encoder/manifest.js";
import { unknownWindow } from "../../pipeline/unbound.js";
import { readInput } from "../read-input.js";
import { otherRecipe } from "./before.js";
import { idOfBytes } from "./content-id.js";
import { asInput, type FrozenOptions, frozenVector } from "./frozen.js";
import type { GatherOptions } from "./gather.js";
import { ChannelSums, firstClip, type Gathered, mapSize, recipeOf, type Whole } from "./gathered.js";
import { type KeptVectors, remembered } from "./kept-vectors.js";
import { givesMaps } from "./lent.js";
import { isSmall, scaleSketch, sketchOf } from "./sketch.js";

export interface PairFiles {
  readonly path: string;
  readonly modality: Exclude<Modality, "text">;
  /** Column of the camera, or `text`; the first of `vision`, `camera`, `text` that the table has unless given. */
  readonly anchor?: string | undefined;
}

/** From pairs of files, or of a file and words. Throws `BAD_ARGUMENT` with the line, and what the files' decoders throw. */
export async function gatherPairs(
  { path, modality, anchor }: PairFiles,
  { bundle, had = bundle, afresh, frozen, signal, kept, onProgress = () => {} }: GatherOptions,
): Promise<Gathered> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, { hint: "Check the path.", cause });
  });
  const { rows, anchors: kind } = parsePairTable(text, { sensor: modality, path, ...(anchor && { anchor }) });
  const times = rowTimes(rows);
  const tower = bundle.manifest.towers[modality];
  const recipe = recipeIn(tower, modality, afresh);
  // Words are put as for a picture where the bundle does not say how they are put for the sensor.
  const spoken = had.manifest.towers[modality] === undefined ? "vision" : modality;
  const at = (file: string): string => resolve(dirname(path), file);
  const inputOf = async ({ sensor }: PairRow, as = recipe): Promise<Tensor<Float32Array>> =>
    firstClip(await readInput(at(sensor), { modality, recipe: as, hop: undefined }), as);
  const sums = afresh && recipe.kind === "series" ? new ChannelSums(recipe) : undefined;
  const windows: Sensed[] = [];
  const anchors: Anchor[] = [];
  const places = new Map<string, UnitVector>();
  const [seen, felt] = [await kept?.("vision"), frozen ? await kept?.(modality) : undefined];
  let dims: readonly number[] | undefined;
  for (const [i, row] of rows.entries()) {
    signal.throwIfAborted();
    await named(path, row, async () => {
      const input = frozen
        ? asInput(
            await feltIn(at(row.sensor), { make: () => inputOf(row), bundle, modality, recipe, signal, kept: felt }),
          )
        : await inputOf(row);
      const isKept = frozen || isSmall(input);
      if (!isKept) {
        dims ??= input.dims.slice(1);
        sums?.add(input);
      }
      const vector =
        places.get(row.anchor) ??
        (kind === "text"
          ? (await bundle.encodeText([row.anchor], spoken))[0]!.vector
          : await placeOf(at(row.anchor), bundle, seen));
      places.set(row.anchor, vector);
      windows.push({ time: times[i]!, input: isKept ? input : sketchOf(input) });
      anchors.push({ time: times[i]!, vector });
    });
    onProgress(modality, (i + 1) / rows.length);
  }
  const scaled = dims === undefined ? undefined : sums?.recipe;
  if (scaled !== undefined) for (const { input } of windows) scaleSketch(input, scaled);
  const readAs = (as?: Recipe): Whole["of"] =>
    async function* (numbers) {
      for (const number of numbers) {
        yield { number, input: await named(path, rows[number]!, () => inputOf(rows[number]!, as)) };
      }
    };
  const own = otherRecipe(had, { bundle, modality, recipe: scaled ?? recipe });
  return {
    ...{ modality, recipe: scaled ?? recipe, windows, anchors, encoded: frozen },
    whole: dims && { dims, of: readAs(scaled) },
    asBefore: own && readAs(own),
    window: tower?.window ?? unknownWindow("vision"),
    timed: rows.every(({ time }) => time !== undefined),
    words: kind === "text",
  };
}

/** An encoder from nothing sees smaller maps, for it has few pairs to learn from, and measures the scale of its channels itself. */
function recipeIn(tower: Tower | undefined, modality: Exclude<Modality, "text">, afresh: boolean): Recipe {
  if (tower === undefined && !givesMaps(modality)) {
    throw new SenseError("MODALITY_UNSUPPORTED", `the bundle does not say how files of ${modality} are read`, {
      hint: "Record the sensor and the camera (`sensebind record`) and give --recording.",
    });
  }
  if (tower === undefined) return recipeOf({ kind: "frame", modality }, unknownWindow(modality));
  const { preprocess } = tower;
  if (!afresh) return preprocess;
  if (preprocess.kind === "thermal" || preprocess.kind === "depth") {
    return { ...preprocess, input: "input", size: mapSize };
  }
  if (preprocess.kind !== "series") return preprocess;
  const { mean: _, std: __, ...bare } = preprocess;
  return bare;
}

/** Says which line of the table an error is about. */
async function named<T>(path: string, { line }: PairRow, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSenseError(error) || error.code === "FILE_UNWRITABLE") throw error;
    throw new SenseError(error.code, `${path}, line ${line}: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    });
  }
}

async function placeOf(path: string, bundle: Bundle, kept: KeptVectors | undefined): Promise<UnitVector> {
  const { preprocess: recipe } = bundle.tower("vision");
  const found = await remembered(kept, idOfFile(path), async () =>
    bundle.encode("vision", await readInput(path, { modality: "vision", recipe, hop: undefined })),
  );
  return found!.vector;
}

interface FeltOptions extends FrozenOptions {
  readonly bundle: Bundle;
  readonly kept: KeptVectors | undefined;
  readonly make: () => Promise<Tensor<Float32Array>>;
}

/** The vector of a sensor's file; its bytes tell whether it is known, so that it need not be decoded again. */
async function feltIn(path: string, { bundle, kept, make, ...options }: FeltOptions): Promise<UnitVector | undefined> {
  const found = await remembered(kept, idOfFile(path), async () => {
    const vector = await frozenVector(bundle, await make(), options);
    return vector && { vector };
  });
  return found?.vector;
}

const idOfFile = (path: string) => (): Promise<string> =>
  readFile(path).then(idOfBytes, (cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, { hint: "Check the path.", cause });
  });
