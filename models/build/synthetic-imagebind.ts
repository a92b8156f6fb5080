import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { seeded } from "../../src/core/random.js";
import { saveTorch } from "./torch-file.js";

interface Keys {
  readonly entries: readonly { readonly key: string; readonly shape: readonly number[] }[];
}

/** Standard deviation of a transformer's weights when its training begins. */
const spread = 0.02;

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** Numbers of a tensor: 1 for scales of norms, ln(10) for logit scales, a causal mask, else uniform of the usual spread. */
function fill(key: string, dims: readonly number[], random: () => number): Float32Array {
  const data = new Float32Array(sizeOf(dims));
  if (key.endsWith("log_logit_scale")) return data.fill(Math.log(10));
  if (key.endsWith(".mask")) {
    const n = dims[1]!;
    return data.map((_, i) => (i % n > Math.floor(i / n) ? Number.NEGATIVE_INFINITY : 0));
  }
  if (dims.length === 1 && key.endsWith("weight")) return data.fill(1);
  const width = spread * Math.sqrt(12);
  for (let i = 0; i < data.length; i++) data[i] = (random() - 0.5) * width;
  return data;
}

/** Writes a checkpoint with every tensor of imagebind_huge and random weights: 4.8 GB. */
async function write(keysPath: string, out: string): Promise<void> {
  const { entries } = JSON.parse(await readFile(keysPath, "utf8")) as Keys;
  const random = seeded(2023);
  const tensors = entries.map(({ key, shape }) => ({ name: key, dims: shape, data: () => fill(key, shape, random) }));
  await saveTorch(out, tensors);
  process.stdout.write(`${entries.length} tensors in ${out}\n`);
}

const [out, keys = fileURLToPath(new URL("imagebind-huge-keys.json", import.meta.url))] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write("usage: tsx models/build/synthetic-imagebind.ts <out.pth> [<keys.json>]\n");
  process.exit(2);
}
await write(keys, out);
