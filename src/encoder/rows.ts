import { SenseError } from "../core/errors.js";
import { sizeOf, type Tensor, type TensorData } from "../core/tensor.js";
import type { Feeds } from "./runtime.js";

/** How many rows (clips) the tensors hold: the length of their first axis. Throws `MODEL_MISMATCH` where they differ. */
export function rowsOf(feeds: Feeds): number {
  const counts = new Set(Object.values(feeds).map(({ dims }) => dims[0] ?? 0));
  const [count = 0] = counts;
  if (counts.size === 1 && count > 0) return count;
  const shapes = Object.entries(feeds).map(([name, { dims }]) => `${name} [${dims.join(", ")}]`);
  throw new SenseError(
    "MODEL_MISMATCH",
    `inputs must have one first axis of at least 1, given are ${shapes.join(", ")}`,
  );
}

/** Rows `[from, to)` of every tensor, as views. */
export function sliceRows(feeds: Feeds, from: number, to: number): Feeds {
  return mapTensors(feeds, ({ dims, data }) => {
    const size = sizeOf(dims.slice(1));
    return { dims: [to - from, ...dims.slice(1)], data: data.subarray(from * size, to * size) };
  });
}

/** The rows of several feeds below one another. Throws `MODEL_MISMATCH` where their names or shapes differ. */
export function stackRows(items: readonly Feeds[]): Feeds {
  const [first] = items;
  if (first === undefined || items.length === 1) return first ?? {};
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      stack(
        items.map((item) => item[name]),
        name,
      ),
    ]),
  );
}

function stack(parts: readonly (Tensor | undefined)[], name: string): Tensor {
  const [first] = parts;
  const shape = first?.dims.slice(1).join();
  let rows = 0;
  for (const part of parts) {
    if (part === undefined || part.dims.slice(1).join() !== shape) {
      throw new SenseError("MODEL_MISMATCH", `clips of different shapes cannot be one batch of "${name}"`, {
        hint: "Encode them one at a time.",
      });
    }
    rows += part.dims[0] ?? 0;
  }
  const { dims, data } = first!;
  const whole = new (data.constructor as new (length: number) => TensorData)(rows * sizeOf(dims.slice(1)));
  let at = 0;
  for (const part of parts) {
    whole.set(part!.data as never, at);
    at += part!.data.length;
  }
  return { dims: [rows, ...dims.slice(1)], data: whole };
}

const mapTensors = (feeds: Feeds, change: (tensor: Tensor) => Tensor): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, change(tensor)]));
