import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isSenseError, SenseError } from "../../../core/errors.js";
import type { Recipe } from "../../../core/recipe.js";
import { sizeOf, type Tensor, tensor } from "../../../core/tensor.js";
import { s } from "../../../core/time.js";
import { encodeModel } from "../../../onnx/encode.js";
import { ExternalFile } from "../../../onnx/external.js";
import { gatherWeights, loadModel } from "../../../onnx/file.js";
import type { Graph } from "../../../onnx/graph.js";
import type { Manifest, Tower } from "../../manifest.js";
import type { Runtime } from "../../runtime.js";
import { bundleId } from "../bundle-id.js";
import { Draft } from "../draft.js";
import { hashFile } from "../hash-file.js";
import { publish } from "../publish.js";
import { comparisonOf } from "./comparison.js";
import { readFolder, type TransformersFolder } from "./files.js";
import { licenceOf } from "./licence.js";
import { textRecipe, visionRecipe } from "./recipes.js";

export interface TransformersOptions {
  readonly out: string;
  /** Tells the width of the space, and makes the golden vectors. */
  readonly runtime: Runtime;
  readonly modalities?: readonly string[] | undefined;
}

/** Outputs that hold one vector a row, best first: the projection into the shared space, or what SigLIP calls it. */
const pooled = [
  "image_embeds",
  "text_embeds",
  "sentence_embedding",
  "pooler_output",
  "embedding",
  "unnorm_image_features",
];

function outputOf({ outputs }: Graph, path: string): string {
  const names = outputs.map(({ name }) => name);
  const sole = outputs.length === 1 && outputs[0]!.shape?.length === 2 ? names[0] : undefined;
  const found = pooled.find((name) => names.includes(name)) ?? sole;
  if (found !== undefined) return found;
  throw new SenseError("BAD_MODEL", `${path} has outputs ${names.join(", ")}, none of which is one vector a row`, {
    hint: `export it with a projection: ${pooled.slice(0, 4).join(", ")}`,
  });
}

/** Zeros as one row of a recipe's input. */
function zeros(recipe: Recipe): Record<string, Tensor> {
  if (recipe.kind === "vision") {
    const dims = [1, 3, recipe.size, recipe.size];
    return { [recipe.input]: tensor(dims, new Float32Array(sizeOf(dims))) };
  }
  if (recipe.kind !== "text") throw new SenseError("BAD_ARGUMENT", `no tower of ${recipe.kind} in this layout`);
  const length = recipe.padTo === "fixed" ? recipe.length : 2;
  const ids = (value: bigint): Tensor => tensor([1, length], new BigInt64Array(length).fill(value));
  return {
    [recipe.ids]: ids(0n),
    ...(recipe.mask === undefined ? {} : { [recipe.mask]: ids(1n) }),
    ...(recipe.types === undefined ? {} : { [recipe.types]: ids(0n) }),
  };
}

interface Found {
  readonly modality: "vision" | "text";
  readonly file: string;
  readonly recipe: Recipe;
  readonly output: string;
  readonly dim: number;
}

/** Writes a tower's graph and weights into the draft, and runs it once to learn the width of its output. */
async function takeTower(
  folder: TransformersFolder,
  draft: Draft,
  { modality, runtime }: { readonly modality: "vision" | "text"; readonly runtime: Runtime },
): Promise<Found> {
  const from = join(folder.dir, folder[modality]!);
  const file = `${modality}.onnx`;
  const graph = await loadModel(from);
  const output = outputOf(graph, from);
  const recipe = modality === "vision" ? visionRecipe(folder, graph) : await textRecipe(folder, graph);
  await draft.part(file, async () => {
    const path = join(draft.dir, file);
    await mkdir(dirname(path), { recursive: true });
    await using external = await ExternalFile.create(`${path}.data`);
    graph.removeOutputs(graph.outputs.map(({ name }) => name).filter((name) => name !== output));
    await gatherWeights(graph, external);
    await writeFile(path, encodeModel(graph));
    return [file, `${file}.data`];
  });
  await using session = await runtime.load(join(draft.dir, file));
  const result = (await session.run(zeros(recipe)))[output];
  if (result?.dims.length !== 2) {
    throw new SenseError(
      "BAD_MODEL",
      `${from} gives ${output} of shape [${result?.dims.join(", ")}], not one vector a row`,
      { hint: "Export the model with its projection: text_embeds and image_embeds." },
    );
  }
  return { modality, file, recipe, output, dim: result.dims[1]! };
}

/**
 * Imports a CLIP-like pair of towers from a folder in the layout of transformers.js. Throws `BAD_MODEL` for what it cannot
 * use, and then leaves nothing behind.
 */
export async function importTransformers(
  dir: string,
  { out, runtime, modalities }: TransformersOptions,
): Promise<Manifest> {
  const folder = await readFolder(dir);
  const wanted = (["vision", "text"] as const).filter(
    (modality) => folder[modality] !== undefined && (modalities?.includes(modality) ?? true),
  );
  const hashes = await Promise.all(
    wanted.map(async (modality) => (await hashFile(join(dir, folder[modality]!))).sha256),
  );
  const draft = await Draft.open(out, `transformers/1 ${hashes.join(" ")}`);
  try {
    const comparison = await comparisonOf(folder);
    const found: Found[] = [];
    for (const modality of wanted) found.push(await takeTower(folder, draft, { modality, runtime }));
    const [{ dim } = { dim: 0 }] = found;
    const other = found.find((tower) => tower.dim !== dim);
    if (other !== undefined || dim === 0) {
      throw new SenseError(
        "BAD_MODEL",
        `the towers of ${dir} give ${found.map((t) => `${t.modality} ${t.dim}`).join(", ")} numbers`,
        { hint: "Towers of one space give vectors of one length: export all of them from the same model." },
      );
    }
    if (folder.tokenizer !== undefined) await draft.copy(join(dir, folder.tokenizer), "tokenizer.json");
    const towers = Object.fromEntries(
      found.map(({ modality, file, recipe, output }): [string, Tower] => [
        modality,
        {
          graphs: [file],
          weights: [],
          output,
          preprocess: recipe,
          ...(modality === "text" ? {} : { window: { length: s(1), hop: s(1) } }),
          prompts: modality === "text" ? ["{}"] : ["a photo of {}"],
          logitScale: comparison.scale,
          logitBias: comparison.bias,
          background: { mean: 0, deviation: 1 / Math.sqrt(dim) },
          rawScale: 1,
        },
      ]),
    );
    const title = basename(resolve(dir));
    const licence = licenceOf(folder.readme);
    const manifest = {
      format: "sensebind.bundle/1" as const,
      id: bundleId(out),
      version: "1",
      title,
      licence,
      dim,
      towers,
    };
    return await publish(draft, { manifest, card: cardOf(manifest, hashes), runtime });
  } catch (error) {
    if (isSenseError(error)) await draft.discard();
    throw error;
  }
}

function cardOf({ title, licence, towers, dim }: Omit<Manifest, "files">, hashes: readonly string[]): string {
  const scale = Object.values(towers)[0]!;
  return `# ${title}

A pair of towers in the layout of transformers.js, imported as it is. SHA-256 of the graphs: ${hashes.map((h) => `\`${h}\``).join(", ")}.

Licence: **${licence.spdx}**. ${licence.notice ?? ""}

Towers: ${Object.keys(towers).join(", ")}; unit vectors of ${dim} numbers. A cosine is multiplied by ${scale.logitScale} and
${scale.logitBias} is added before softmax or sigmoid. The background of unrelated content is the theoretical one.
`;
}
