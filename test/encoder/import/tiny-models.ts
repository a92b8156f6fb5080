import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeNpy } from "../../../src/core/npy.js";
import { sizeOf, type Tensor, tensor } from "../../../src/core/tensor.js";
import type { TowerName } from "../../../src/encoder/import/imagebind/layout.js";
import { goldenPath } from "../../support/golden.js";

/** A folder with a small ImageBind checkpoint, its constructor's arguments, and inputs with the original's outputs. */
export interface TinyModel {
  readonly name: string;
  readonly dir: string;
  readonly checkpoint: string;
  readonly config: string;
  readonly cases: readonly TinyCase[];
}

export interface TinyCase {
  readonly name: string;
  readonly modality: TowerName;
  /** As the original takes it, clip axes included. */
  readonly input: Tensor;
  /** `[n, dim]`, logit scale applied, clips averaged. */
  readonly output: Tensor;
}

interface Config {
  readonly cases: Readonly<Record<string, { readonly modality: TowerName; readonly input_shape: readonly number[] }>>;
}

const npy = (path: string): Tensor => decodeNpy(readFileSync(path));

/** An input is stored as it is, as bytes b that stand for (b - 128) / 64, or is the first clip of another case's. */
function inputOf(dir: string, name: string, dims: readonly number[]): Tensor | undefined {
  const base = name.replace(/_single$/, "");
  const [plain, bytes] = [join(dir, `${base}.in.npy`), join(dir, `${base}.in_u8.npy`)];
  if (!existsSync(plain) && !existsSync(bytes)) return undefined;
  const stored = existsSync(plain) ? npy(plain) : npy(bytes);
  const data = existsSync(plain) ? stored.data : Float32Array.from(stored.data as Uint8Array, (b) => (b - 128) / 64);
  if (base === name) return tensor(stored.dims, data);
  const [rows = 0, ...rest] = dims;
  const size = sizeOf(rest);
  const clips = stored.dims[1]!;
  const first = new Float32Array(rows * size);
  for (let i = 0; i < rows; i++)
    first.set((data as Float32Array).subarray(i * clips * size, (i * clips + 1) * size), i * size);
  return tensor(dims, first);
}

function casesOf(dir: string): TinyCase[] {
  const { cases } = JSON.parse(readFileSync(join(dir, "config.json"), "utf8")) as Config;
  return Object.entries(cases).flatMap(([name, { modality, input_shape }]) => {
    const output = join(dir, `${name}.out.npy`);
    const input = inputOf(dir, name, input_shape);
    return input === undefined || !existsSync(output) ? [] : [{ name, modality, input, output: npy(output) }];
  });
}

/** Every `tiny_model*` folder of the golden files. */
export function tinyModels(): TinyModel[] {
  const folders = readdirSync(goldenPath(), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name.startsWith("tiny_model"),
  );
  return folders.flatMap(({ name }) => {
    const dir = goldenPath(name);
    const checkpoint = readdirSync(dir).find((file) => file.endsWith(".pth"));
    if (checkpoint === undefined) return [];
    const paths = { checkpoint: join(dir, checkpoint), config: join(dir, "config.json") };
    return [{ name, dir, ...paths, cases: casesOf(dir) }];
  });
}

export interface Deviation {
  /** Largest difference over the norm of the wanted row. */
  readonly relative: number;
  /** Least cosine of two rows. */
  readonly cosine: number;
}

/** How far rows are from the wanted ones. */
export function deviation(rows: readonly Float32Array[], wanted: Tensor): Deviation {
  const dim = wanted.dims[1]!;
  let [relative, cosine] = [0, 1];
  if (rows.length !== wanted.dims[0] || rows.some((row) => row.length !== dim)) throw new RangeError("other shapes");
  for (const [r, row] of rows.entries()) {
    let [dot, a, b, max] = [0, 0, 0, 0];
    for (const [i, x] of row.entries()) {
      const y = Number(wanted.data[r * dim + i]!);
      [dot, a, b, max] = [dot + x * y, a + x * x, b + y * y, Math.max(max, Math.abs(x - y))];
    }
    relative = Math.max(relative, max / Math.sqrt(b));
    cosine = Math.min(cosine, dot / Math.sqrt(a * b));
  }
  return { relative, cosine };
}
