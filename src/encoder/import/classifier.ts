import { basename, join } from "node:path";
import { cosine, type UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Recipe } from "../../core/recipe.js";
import { tensor } from "../../core/tensor.js";
import { s } from "../../core/time.js";
import { loadModel, saveModel } from "../../onnx/file.js";
import type { Graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import { openBundle } from "../bundle.js";
import type { Manifest } from "../manifest.js";
import type { Runtime } from "../runtime.js";
import { extendBundle } from "./extend.js";
import { hashFile } from "./hash-file.js";

export interface ClassifierOptions {
  /** Folder of the bundle whose words the classes become. */
  readonly base: string;
  readonly modality: Modality;
  /** How the classifier's input is made. */
  readonly recipe: Recipe;
  /** Names of the classes in the order of the classifier's output. */
  readonly labels: readonly string[];
  readonly out: string;
  readonly runtime: Runtime;
  /** Classes that take part in a vector, best first (T of the paper). */
  readonly top?: number | undefined;
}

/** Words that have nothing to do with the classes, to see what "nothing" looks like. */
const unrelated = [
  "justice",
  "the square root of two",
  "yesterday",
  "somewhat",
  "a contract",
  "north-east",
  "a melody",
  "debt",
];

/** The output that has one number a class: the one whose length says so, else the only one. */
function scoresOf(graph: Graph, count: number, path: string): Value {
  const fitting = graph.outputs.filter(({ shape }) => shape?.at(-1) === count);
  const [sole] = fitting.length === 1 ? fitting : graph.outputs.length === 1 ? graph.outputs : [];
  const length = sole?.shape?.at(-1);
  if (sole !== undefined && (typeof length !== "number" || length === count)) return sole;
  const found = graph.outputs.map(({ name, shape }) => `${name} [${shape?.join(", ") ?? "?"}]`).join(", ");
  throw new SenseError("BAD_MODEL", `${path} has the outputs ${found}, but there are ${count} labels`, {
    hint: "Give one label a class, in the order of the output.",
  });
}

const madeBy = ({ source }: Value): string => (source.kind === "node" ? source.node.op : "");

/**
 * ConSE (Norouzi et al. 2014): the mean of the class names' text vectors, weighted by the best classes' probabilities.
 * The graph gets it as its only output, `embedding` `[n, dim]`.
 */
export function bindLabels(graph: Graph, scores: Value, vectors: readonly UnitVector[], top: number): void {
  const dim = vectors[0]!.length;
  const table = new Float32Array(vectors.length * dim);
  for (const [i, vector] of vectors.entries()) table.set(vector, i * dim);
  const flat = graph.op("Reshape", [scores, graph.ints([-1, vectors.length])]);
  const isProbability = ["Softmax", "Sigmoid"].includes(madeBy(scores));
  const likely = isProbability ? flat : graph.op("Softmax", [flat], { axis: -1 });
  const [best] = graph.ops("TopK", [likely, graph.ints([Math.min(top, vectors.length)])], { axis: -1 }, { outputs: 2 });
  const least = leastOf(graph, best!);
  const weights = graph.op("Where", [graph.op("Less", [likely, least]), graph.floats(0), likely]);
  const mixed = graph.op("MatMul", [weights, graph.weight("label_vectors", tensor([vectors.length, dim], table))]);
  const names = graph.outputs.map(({ name }) => name);
  graph.output("embedding", graph.op("LpNormalization", [mixed], { axis: -1, p: 2 }));
  graph.removeOutputs(names.filter((name) => name !== "embedding"));
}

/** The least number of each row; ReduceMin takes its axes as an attribute up to opset 17, as an input from 18 on. */
function leastOf(graph: Graph, rows: Value): Value {
  const isOld = (graph.opsets.get("") ?? 17) < 18;
  if (isOld) return graph.op("ReduceMin", [rows], { axes: [-1], keepdims: 1 });
  return graph.op("ReduceMin", [rows, graph.ints([-1])], { keepdims: 1 });
}

function spreadOf(cosines: readonly number[]): { mean: number; deviation: number } {
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  const variance = cosines.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cosines.length;
  return { mean, deviation: Math.max(Math.sqrt(variance), 1e-3) };
}

/**
 * Joins any ONNX classifier to the space of a bundle with a text tower: an overlay of that bundle. Throws `BAD_MODEL` where
 * the outputs do not fit the labels, `MODALITY_UNSUPPORTED` where the base has no words.
 */
export async function importClassifier(path: string, options: ClassifierOptions): Promise<Manifest> {
  const { base, modality, recipe, labels, out, runtime, top = 10 } = options;
  const graph = await loadModel(path);
  const scores = scoresOf(graph, labels.length, path);
  const { vectors, background, scale } = await wordsOf(base, labels, runtime);
  bindLabels(graph, scores, vectors, top);
  const file = `${modality}-classifier.onnx`;
  const { sha256 } = await hashFile(path);
  const addition = {
    modality,
    source: `${sha256} ${top} ${JSON.stringify(labels)}`,
    title: `${basename(path)} by its labels`,
    card: `## ${modality}

\`${basename(path)}\` (SHA-256 \`${sha256}\`), a classifier of ${labels.length} labels. A vector is the mean of the text vectors of
its ${top} best labels, weighted by their probabilities (ConSE, Norouzi et al. 2014): it knows nothing beyond its labels.
The licence above is that of the base; the classifier's own is to be looked up where it came from.
`,
    tower: {
      graphs: [file],
      weights: [],
      output: "embedding",
      preprocess: recipe,
      ...(recipe.kind === "text"
        ? {}
        : { window: { length: s(lengthOf(recipe)), hop: s(Math.min(1, lengthOf(recipe))) } }),
      prompts: ["{}"],
      logitScale: scale,
      logitBias: 0,
      background,
      rawScale: 1,
    },
    files: [file, `${file}.data`],
    write: (dir: string): Promise<void> => saveModel(graph, join(dir, file), { external: `${file}.data` }),
  };
  return extendBundle(base, addition, { out, runtime });
}

/** Seconds that a recipe looks at. */
function lengthOf(recipe: Recipe): number {
  if (recipe.kind === "waveform") return recipe.samples / recipe.rate;
  if (recipe.kind === "fbank") return recipe.clips.length / 1e6;
  return recipe.kind === "series" ? recipe.steps / recipe.rate : 1;
}

async function wordsOf(base: string, labels: readonly string[], runtime: Runtime) {
  await using bundle = await openBundle(base, runtime);
  const { logitScale } = bundle.tower("text");
  const vectors = (await bundle.encodeText(labels)).map(({ vector }) => vector);
  const others = (await bundle.encodeText(unrelated)).map(({ vector }) => vector);
  const cosines = vectors.flatMap((vector) => others.map((other) => cosine(vector, other)));
  return { vectors, background: spreadOf(cosines), scale: logitScale };
}
