import { type Tensor, tensor } from "../core/tensor.js";
import { intOf } from "./attributes.js";
import type { ExternalFile } from "./external.js";
import type { Graph } from "./graph.js";
import type { Node, Value, Weight } from "./value.js";
import { floatsOf, largeFloats, storeTensor } from "./weight-store.js";

interface Quantised {
  readonly q: Tensor<Int8Array>;
  readonly scale: Tensor<Float32Array>;
}

/**
 * Largest weight of a product. Processors with AVX2 but without VNNI add two products of uint8 and int8 in 16 bits, which
 * saturate beyond 64: with 127 the cosine of two layers with a ReLU between them was 0.9967 there, with 64 above 0.999.
 */
const most = 64;

/** A matrix as int8 with one scale a column, symmetric. */
function byColumn(floats: Float32Array, rows: number, columns: number): Quantised {
  const scale = new Float32Array(columns);
  for (let i = 0; i < floats.length; i++) scale[i % columns] = Math.max(scale[i % columns]!, Math.abs(floats[i]!));
  for (let j = 0; j < columns; j++) scale[j] = scale[j] === 0 ? 1 : scale[j]! / most;
  const q = new Int8Array(floats.length);
  for (let i = 0; i < floats.length; i++) q[i] = Math.round(floats[i]! / scale[i % columns]!);
  return { q: tensor([rows, columns], q), scale: tensor([columns], scale) };
}

/** A table as int8 with one scale a row. */
function byRow(floats: Float32Array, rows: number, columns: number): Quantised {
  const scale = new Float32Array(rows);
  const q = new Int8Array(floats.length);
  for (let r = 0; r < rows; r++) {
    const row = floats.subarray(r * columns, (r + 1) * columns);
    const most = row.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    scale[r] = most === 0 ? 1 : most / 127;
    for (let c = 0; c < columns; c++) q[r * columns + c] = Math.round(row[c]! / scale[r]!);
  }
  return { q: tensor([rows, columns], q), scale: tensor([rows, 1], scale) };
}

/** Weights as int8: products get dynamically quantised activations, tables are scaled back where they are looked up. */
class Int8Weights {
  readonly #graph: Graph;
  readonly #external: ExternalFile | undefined;
  /** One quantisation of an activation serves all products that it goes into. */
  readonly #activations = new Map<Value, readonly Value[]>();
  changed = 0;

  constructor(graph: Graph, external: ExternalFile | undefined) {
    this.#graph = graph;
    this.#external = external;
  }

  async visit(node: Node): Promise<readonly Value[] | undefined> {
    switch (node.op) {
      case "MatMul":
        return this.#product(node, false);
      case "Gemm": {
        const plain = [node.attributes.alpha, node.attributes.beta].every(
          (factor) => factor === undefined || isOne(factor),
        );
        return plain && intOf(node.attributes, "transA", 0) === 0
          ? this.#product(node, intOf(node.attributes, "transB", 0) === 1)
          : undefined;
      }
      case "Gather":
        return intOf(node.attributes, "axis", 0) === 0 ? this.#lookup(node) : undefined;
      default:
        return undefined;
    }
  }

  async #product({ inputs: [x, w, bias], name }: Node, isTransposed: boolean): Promise<readonly Value[] | undefined> {
    const weight = largeFloats(w, 2);
    if (x === undefined || w === undefined || weight === undefined) return undefined;
    const graph = this.#graph;
    const [q, scale] = await this.#quantised(w, weight, isTransposed);
    const [quantised, xScale, xZero] = this.#activation(x);
    const sums = graph.op("MatMulInteger", [quantised, q, xZero], {}, { name });
    const scales = graph.op("Mul", [xScale, scale]);
    const product = graph.op("Mul", [graph.op("Cast", [sums], { to: 1 }), scales]);
    return [bias === undefined ? product : graph.op("Add", [product, bias])];
  }

  async #lookup({ inputs: [table, indices] }: Node): Promise<readonly Value[] | undefined> {
    const weight = largeFloats(table, 2);
    if (table === undefined || weight === undefined) return undefined;
    const graph = this.#graph;
    const { q, scale } = byRow(await floatsOf(weight), weight.dims[0]!, weight.dims[1]!);
    this.changed += q.data.length * 4;
    const rows = graph.op("Gather", [await this.#store(`${table.name}.int8`, q), indices]);
    const scales = graph.op("Gather", [await this.#store(`${table.name}.scale`, scale), indices]);
    return [graph.op("Mul", [graph.op("Cast", [rows], { to: 1 }), scales])];
  }

  #activation(x: Value): readonly Value[] {
    const known = this.#activations.get(x);
    if (known !== undefined) return known;
    const made = this.#graph.ops("DynamicQuantizeLinear", [x], {}, { outputs: 3 });
    this.#activations.set(x, made);
    return made;
  }

  async #quantised(value: Value, { dims, ...weight }: Weight, isTransposed: boolean): Promise<readonly Value[]> {
    const floats = await floatsOf({ dims, ...weight });
    const [rows, columns] = isTransposed ? [dims[1]!, dims[0]!] : [dims[0]!, dims[1]!];
    const { q, scale } = byColumn(isTransposed ? transposed(floats, dims[0]!, dims[1]!) : floats, rows, columns);
    this.changed += floats.byteLength;
    return [await this.#store(`${value.name}.int8`, q), await this.#store(`${value.name}.scale`, scale)];
  }

  async #store(name: string, data: Tensor): Promise<Value> {
    return this.#graph.stored(name, await storeTensor(data, this.#external));
  }
}

const isOne = (attribute: unknown): boolean =>
  attribute === 1 ||
  (typeof attribute === "object" && attribute !== null && "float" in attribute && attribute.float === 1);

function transposed(floats: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(floats.length);
  for (let i = 0; i < floats.length; i++) out[(i % columns) * rows + Math.floor(i / columns)] = floats[i]!;
  return out;
}

/**
 * Dynamic int8 quantisation: weights of products as int8 with one scale an output channel, activations as uint8 measured at
 * each run. Convolutions stay float32. Tells how many bytes of float32 were changed.
 */
export async function int8Weights(graph: Graph, external?: ExternalFile): Promise<number> {
  const int8 = new Int8Weights(graph, external);
  await graph.rewrite((node) => int8.visit(node));
  return int8.changed;
}
