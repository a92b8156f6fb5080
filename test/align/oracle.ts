import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { decodeNpy } from "../../src/core/npy.js";
import type { Tensor } from "../../src/core/tensor.js";
import { goldenPath } from "../support/golden.js";

const Meta = z.object({
  parameters: z.array(z.object({ name: z.string(), shape: z.array(z.int()), offset: z.int(), size: z.int() })),
  optimizer: z.object({
    lr: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    weight_decay: z.number(),
  }),
  loss_f32: z.array(z.number()),
  f32_vs_f64_weight_stats: z.record(z.string(), z.object({ p999: z.number() })),
  ill_conditioned_ranges: z.array(z.tuple([z.int(), z.int()])),
});

/** A training run that PyTorch made (fixtures/imagebind/train). */
export function readOracle(folder: string) {
  const npy = (name: string): Tensor<Float32Array> =>
    decodeNpy(readFileSync(join(folder, `${name}.npy`))) as Tensor<Float32Array>;
  const meta = Meta.parse(JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")));
  const parameters = (flat: Float32Array) =>
    meta.parameters.map(({ name, shape, offset, size }) => ({
      name,
      dims: shape,
      data: flat.slice(offset, offset + size),
    }));
  return { ...meta, npy, parameters };
}

const listed = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];

const shared = "../shared/fixtures/imagebind/train";

/** Folders with training runs: under the golden files, and beside the repository the ones too large for it. */
export const oracles = [
  ...new Map([...listed(shared), ...listed(goldenPath("train"))].map((f) => [f.split("/").at(-1), f])).values(),
];

/** Why the transformers are not among them. */
export const missing = existsSync(shared) ? undefined : `${shared} is not there: the transformer runs are skipped`;
