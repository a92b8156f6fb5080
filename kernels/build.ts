/**
 * Makes src/window/kernels.ts from kernels/window.ts: `npx tsx kernels/build.ts`. AssemblyScript is fetched for that and is no
 * dependency of the project; test/window/kernels.test.ts fails when the source was changed and this was not run.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("./window.ts", import.meta.url));
const out = join(mkdtempSync(join(tmpdir(), "kernels-")), "window.wasm");
const flags = ["-O3", "--enable", "simd", "--runtime", "stub", "--noAssert", "-o", out];
execFileSync("npx", ["--yes", "--package", "assemblyscript@0.28.20", "asc", source, ...flags], { stdio: "inherit" });

const sha256 = createHash("sha256").update(readFileSync(source)).digest("hex");
const lines =
  readFileSync(out)
    .toString("base64")
    .match(/.{1,110}/g) ?? [];
writeFileSync(
  fileURLToPath(new URL("../src/window/kernels.ts", import.meta.url)),
  `/** Made by kernels/build.ts from kernels/window.ts of this sha256; not to be edited. */
export const sourceSha256 = "${sha256}";

/** WebAssembly with SIMD, in base64. */
export const wasm = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");
`,
);
