import { createHash } from "node:crypto";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asPicture, mapInput } from "../../align/net/as-picture.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { DepthRecipe, ThermalRecipe, VisionRecipe } from "../../core/recipe.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Tower } from "../../encoder/manifest.js";
import type { Runtime } from "../../encoder/runtime.js";
import { saveModel } from "../../onnx/file.js";

/** Sensors whose maps can be looked at as pictures. */
export type MapModality = "thermal" | "depth";

export const givesMaps = (modality: Modality): modality is MapModality =>
  modality === "thermal" || modality === "depth";

/** A bundle in which the camera's encoder is lent to another sensor. */
export interface LentBundle extends Bundle {
  /** Paths of what the lent encoder has and the bundle's folder has not: the graph that makes a picture of a map, unless it is there. */
  readonly more: readonly string[];
}

/**
 * The same bundle with the camera's own encoder in the place of a sensor's: it looks at the sensor's maps as grey pictures. The bundle
 * itself stays open when this one is disposed of.
 */
export async function lendCamera(bundle: Bundle, modality: MapModality, runtime: Runtime): Promise<LentBundle> {
  const camera = bundle.tower("vision");
  const { preprocess } = camera;
  if (preprocess.kind !== "vision") {
    throw new SenseError("BAD_BUNDLE", `towers.vision of ${bundle.dir} has a recipe for ${preprocess.kind}`);
  }
  const folder = await mkdtemp(join(tmpdir(), "sensebind-lent-"));
  const written = join(folder, "picture.onnx");
  await saveModel(asPicture(preprocess), written);
  const bytes = await readFile(written);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  // By its content, since another sensor that looks through the same camera's encoder may have brought it along.
  const file = `picture-${sha256.slice(0, 8)}.onnx`;
  const picture = join(folder, file);
  await rename(written, picture);
  const tower: Tower = {
    ...camera,
    graphs: [file, ...camera.graphs],
    preprocess: recipeOfMaps(modality, preprocess),
  };
  const { manifest } = bundle;
  const session = await runtime.load(picture, { threads: 1 });
  const lent: LentBundle = {
    ...parts(bundle),
    more: manifest.files[file] === undefined ? [picture] : [],
    forSensor: () => lent,
    manifest: {
      ...manifest,
      towers: { ...manifest.towers, [modality]: tower },
      files: { ...manifest.files, [file]: { sha256, bytes: bytes.byteLength } },
    },
    tower: (asked) => (asked === modality ? tower : bundle.tower(asked)),
    load: (asked) => bundle.load(asked === modality ? "vision" : asked),
    encode: async (asked, inputs, signal) =>
      asked === modality
        ? bundle.encode("vision", await session.run(inputs, signal), signal)
        : bundle.encode(asked, inputs, signal),
    encodeAll: async (asked, items, signal) => {
      if (asked !== modality) return bundle.encodeAll(asked, items, signal);
      const pictures = [];
      for (const item of items) pictures.push(await session.run(item, signal));
      return bundle.encodeAll("vision", pictures, signal);
    },
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return lent;
}

const parts = (bundle: Bundle): Pick<Bundle, "dir" | "space" | "encodeText" | "tokenize"> => ({
  dir: bundle.dir,
  space: bundle.space,
  encodeText: (...asked) => bundle.encodeText(...asked),
  tokenize: (texts) => bundle.tokenize(texts),
});

/** Maps as a picture shows them best: warm is bright, and near is bright, as disparity (Omnivore, arXiv 2201.08377; PARITY A6). */
function recipeOfMaps(modality: MapModality, { size }: VisionRecipe): ThermalRecipe | DepthRecipe {
  if (modality === "thermal") return { kind: "thermal", input: mapInput, size, range: "minmax", mean: 0, std: 1 };
  return {
    kind: "depth",
    input: mapInput,
    size,
    as: "disparity",
    baseline: 0.075,
    focal: 518.857901,
    // Nearer than most depth cameras can see, and further: what has no reading counts as far away.
    clamp: [0.3, 10],
    invalid: 10,
    divide: 1,
    antialias: true,
    mean: 0,
    std: 1,
  };
}
