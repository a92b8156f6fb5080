import { type Tensor, tensor } from "../../src/core/tensor.js";
import { openCheckpoint } from "../../src/encoder/import/open.js";
import { type Graph, graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";
import { packHalf, packInt8, unpack } from "./packed.js";

/** Shape of all-MiniLM-L6-v2 (its config.json); positions beyond 256 were not trained (sentence_bert_config.json). */
const width = 384;
const heads = 12;
const layers = 6;
const positions = 256;

export interface TextTower {
  readonly checkpoint: string;
  /** int8 weights, or float16 ones to compare with. */
  readonly precision: "int8" | "float16";
  /** Subtracted from the unit sentence vector, so that unrelated words come out near a cosine of zero. */
  readonly centre?: Float32Array;
  /** Zeros appended to the sentence vector: dimensions of the space that words say nothing about. */
  readonly zeros: number;
}

/**
 * The text tower: `input_ids` and `attention_mask` int64 `[batch, sequence]` to `embedding` `[batch, 384 + zeros]`. BERT with six
 * layers (Devlin et al. 2019, Wang et al. 2020), masked mean of its outputs, unit length, centred.
 */
export async function textGraph({ checkpoint, precision, centre, zeros }: TextTower): Promise<Graph> {
  await using weights = await openCheckpoint(checkpoint);
  const g = graph({ name: "text" });
  const small = (name: string): Promise<Value> =>
    weights.floats(name).then(({ dims, data }) => g.weight(name, tensor(dims, data)));
  const large = async (name: string, value: Tensor<Float32Array>, axis: number): Promise<Value> =>
    unpack(g, precision === "int8" ? await packInt8(name, value, { axis }) : await packHalf(name, value, undefined));

  const linear = async (x: Value, name: string): Promise<Value> => {
    const weight = await large(`${name}.weight`, transposed(await weights.floats(`${name}.weight`)), 1);
    return g.op("Add", [g.op("MatMul", [x, weight]), await small(`${name}.bias`)]);
  };
  const normalised = async (x: Value, name: string): Promise<Value> =>
    g.op("LayerNormalization", [x, await small(`${name}.weight`), await small(`${name}.bias`)], {
      axis: -1,
      epsilon: 1e-12,
    });

  const ids = g.input("input_ids", "int64", ["batch", "sequence"]);
  const mask = g.input("attention_mask", "int64", ["batch", "sequence"]);
  const real = g.op("Cast", [mask], { to: 1 });
  // Padding gets a score so low that its softmax is zero in float32.
  const hidden = g.op("Mul", [g.op("Sub", [g.op("Unsqueeze", [real, g.ints([1, 2])]), g.floats(1)]), g.floats(1e4)]);

  const word = await embeddingRows(g, await weights.floats("embeddings.word_embeddings.weight"), ids, precision);
  const position = await weights.floats("embeddings.position_embeddings.weight");
  const type = await weights.floats("embeddings.token_type_embeddings.weight");
  const places = Float32Array.from({ length: positions * width }, (_, i) => position.data[i]! + type.data[i % width]!);
  const table = unpack(g, await packHalf("positions", tensor([positions, width], places), undefined));
  const length = g.op("Slice", [g.op("Shape", [ids]), g.ints([1]), g.ints([2])]);
  let x = g.op("Add", [word, g.op("Slice", [table, g.ints([0]), length, g.ints([0])])]);
  x = await normalised(x, "embeddings.LayerNorm");

  const split = (v: Value, perm: readonly number[]): Value =>
    g.op("Transpose", [g.op("Reshape", [v, g.ints([0, 0, heads, width / heads])])], { perm });
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const q = split(await linear(x, `${at}.attention.self.query`), [0, 2, 1, 3]);
    const k = split(await linear(x, `${at}.attention.self.key`), [0, 2, 3, 1]);
    const v = split(await linear(x, `${at}.attention.self.value`), [0, 2, 1, 3]);
    const scores = g.op("Mul", [g.op("MatMul", [q, k]), g.floats(Math.sqrt(heads / width))]);
    const attention = g.op("Softmax", [g.op("Add", [scores, hidden])], { axis: -1 });
    const mixed = g.op("Transpose", [g.op("MatMul", [attention, v])], { perm: [0, 2, 1, 3] });
    const joined = g.op("Reshape", [mixed, g.ints([0, 0, width])]);
    x = await normalised(
      g.op("Add", [x, await linear(joined, `${at}.attention.output.dense`)]),
      `${at}.attention.output.LayerNorm`,
    );
    const up = gelu(g, await linear(x, `${at}.intermediate.dense`));
    x = await normalised(g.op("Add", [x, await linear(up, `${at}.output.dense`)]), `${at}.output.LayerNorm`);
  }

  const sum = g.op("ReduceSum", [g.op("Mul", [x, g.op("Unsqueeze", [real, g.ints([2])])]), g.ints([1])], {
    keepdims: 0,
  });
  const unit = g.op("LpNormalization", [sum], { axis: -1, p: 2 });
  const centred = centre === undefined ? unit : g.op("Sub", [unit, g.weight("centre", tensor([width], centre))]);
  g.output("embedding", zeros === 0 ? centred : g.op("Pad", [centred, g.ints([0, 0, 0, zeros])]));
  return g;
}

/** Rows of the word table; for int8 the rows are scaled after they were picked, so that the table stays small in memory. */
async function embeddingRows(
  g: Graph,
  table: Tensor<Float32Array>,
  ids: Value,
  precision: "int8" | "float16",
): Promise<Value> {
  const packed = precision === "int8" ? await packInt8("words", table) : await packHalf("words", table, undefined);
  const rows = g.op("Gather", [
    g.stored("words", { type: packed.kind, dims: table.dims, storage: packed.storage }),
    ids,
  ]);
  const floats = g.op("Cast", [rows], { to: 1 });
  if (packed.scales === undefined) return floats;
  const scales = g.weight("words.scale", tensor([packed.scales.length, 1], packed.scales));
  return g.op("Mul", [floats, g.op("Gather", [scales, ids])]);
}

/** x * (1 + erf(x / sqrt 2)) / 2, the exact form that BERT was trained with. */
function gelu(g: Graph, x: Value): Value {
  const erf = g.op("Erf", [g.op("Div", [x, g.floats(Math.SQRT2)])]);
  return g.op("Mul", [g.op("Mul", [x, g.op("Add", [erf, g.floats(1)])]), g.floats(0.5)]);
}

/** torch keeps linear weights as [outputs, inputs]. */
function transposed({ dims, data }: Tensor<Float32Array>): Tensor<Float32Array> {
  const [rows, columns] = [dims[0]!, dims[1]!];
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  return tensor([columns, rows], out);
}
