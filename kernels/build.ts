/**
 * Makes a stage's kernels.ts from its source here: `npx tsx kernels/build.ts`. AssemblyScript is fetched for that and is no
 * dependency of the project; a test fails when a source was changed and this was not run.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const made = { "window.ts": "../src/window/kernels.ts", "scan.ts": "../src/space/store/kernels.ts" } as const;

for (const [name, target] of Object.entries(made)) {
  const source = fileURLToPath(new URL(name, import.meta.url));
  const out = join(mkdtempSync(join(tmpdir(), "kernels-")), "out.wasm");
  const flags = ["-O3", "--enable", "simd", "--runtime", "stub", "--noAssert", "-o", out];
  execFileSync("npx", ["--yes", "--package", "assemblyscript@0.28.20", "asc", source, ...flags], { stdio: "inherit" });

  const sha256 = createHash("sha256").update(readFileSync(source)).digest("hex");
  const lines =
    readFileSync(out)
      .toString("base64")
      .match(/.{1,110}/g) ?? [];
  writeFileSync(
    fileURLToPath(new URL(target, import.meta.url)),
    `/** Made by kernels/build.ts from kernels/${name} of this sha256; not to be edited. */
export const sourceSha256 = "${sha256}";

/** WebAssembly with SIMD, in base64. */
export const wasm = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");
`,
  );
}
