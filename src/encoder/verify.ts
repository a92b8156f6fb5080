import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { SenseError } from "../core/errors.js";
import type { Bundle } from "./bundle.js";
import { checkGolden, type GoldenResult } from "./golden.js";
import { Golden } from "./manifest.js";

export interface FileResult {
  readonly file: string;
  readonly ok: boolean;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly files: readonly FileResult[];
  /** Empty where a file is damaged: what it would compute says nothing. */
  readonly golden: readonly GoldenResult[];
}

/**
 * Compares every file of a bundle with its hash, then what its towers compute with golden.json. Throws `BAD_BUNDLE` where
 * there is no golden.json that can be read.
 */
export async function verifyBundle(bundle: Bundle): Promise<VerifyResult> {
  const files: FileResult[] = [];
  for (const [file, { sha256 }] of Object.entries(bundle.manifest.files)) {
    files.push({ file, ok: (await hashOf(join(bundle.dir, file))) === sha256 });
  }
  if (files.some(({ ok }) => !ok)) return { ok: false, files, golden: [] };
  const golden = await checkGolden(bundle, await readGolden(bundle.dir));
  return { ok: golden.every(({ ok }) => ok), files, golden };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function readGolden(dir: string): Promise<Golden> {
  const path = join(dir, "golden.json");
  try {
    return Golden.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new SenseError("BAD_BUNDLE", `${path} cannot be read: ${(cause as Error).message.split("\n")[0]}`, {
      hint: "A bundle needs golden.json, a few inputs with the vectors they must give: models/nano has one.",
      cause,
    });
  }
}
