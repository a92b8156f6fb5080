import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import { type Bundle, openBundle } from "../encoder/bundle.js";
import { readManifest } from "../encoder/manifest-file.js";
import { workerRuntime } from "../encoder/worker-runtime.js";
import { packageFile } from "./package.js";

/** Bundles larger than this, in bytes, are held by one thread that uses all cores, not once by each of several. */
const large = 500e6;

/** Ids of the bundles in models/. */
export async function bundleIds(): Promise<string[]> {
  const entries = await readdir(packageFile("models"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(packageFile("models", entry.name, "manifest.json")))
    .map(({ name }) => name)
    .sort();
}

/** The folder of a bundle given by its id in models/ or by a path, which starts at `folder`. Throws `BAD_BUNDLE`. */
export async function bundleDir(name: string, folder = "."): Promise<string> {
  const ids = await bundleIds();
  if (ids.includes(name)) return packageFile("models", name);
  const dir = resolve(folder, name);
  if (existsSync(join(dir, "manifest.json"))) return dir;
  const near = nearest(name, ids);
  throw new SenseError("BAD_BUNDLE", `there is no bundle "${name}"`, {
    hint: near === undefined ? "`sensebind models list` shows those there are." : `Did you mean ${near}?`,
  });
}

export interface OpenBundleOptions {
  readonly bundle: string;
  /** Whether many files are to be encoded: then every core holds the towers. */
  readonly many?: boolean;
  /** Threads inside one operator; the cores that the workers leave, unless given. */
  readonly threads?: number;
}

/** Gives a command its bundle, with workers for the work at hand, and closes both after it. */
export async function withBundle<T>(options: OpenBundleOptions, body: (bundle: Bundle) => Promise<T>): Promise<T> {
  const dir = await bundleDir(options.bundle);
  const { files, licence } = await readManifest(dir);
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const cores = availableParallelism();
  const workers = options.many && bytes < large ? Math.min(cores, 4) : 1;
  const { threads = Math.max(1, Math.floor(cores / workers)) } = options;
  await using runtime = await workerRuntime({ workers, threads });
  await using bundle = await openBundle(dir, runtime, { session: { copies: workers } });
  if (licence.notice !== undefined) process.stderr.write(`${licence.notice}\n`);
  return await body(bundle);
}
