import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const programs = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));

/** What each program must print to show what it is there to show. */
const shows: Readonly<Record<string, RegExp>> = {
  "flow.ts": /belt fall begin[\s\S]*ALERT call-for-help begin/,
  "meaning.ts": /^\d\.\d\d a (?:kitten|cat)\n/,
  "three-modalities.ts": /text finds its video, which it was never trained with: recall@1 (?:[7-9]\d|100) % of 12/,
  "own-device.ts": /^0 20 19\n[\s\S]*\nok 5\n$/,
};

const run = (name: string): Promise<{ code: number; output: string; errors: string }> =>
  new Promise((resolve) => {
    const args = ["--import", "tsx", join("examples", name)];
    execFile(process.execPath, args, { cwd: root }, (error, output, errors) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, output, errors });
    });
  });

describe("every example", () => {
  test("is known here by what it shows", () => {
    expect(programs.sort()).toEqual(Object.keys(shows).sort());
  });

  test.each(programs)("%s runs and shows it", async (name) => {
    const { code, output, errors } = await run(name);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(output).toMatch(shows[name]!);
  });

  test.each(programs)("%s imports public names only", (name) => {
    const text = readFileSync(join(root, "examples", name), "utf8");
    const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    for (const imported of imports)
      expect(imported).toMatch(/^(?:node:|zod$|sensebind(?:\/(?:device|client|align|testing))?$)/);
  });
});
