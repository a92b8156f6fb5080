import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url);
const packageJson = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  exports: Record<string, string | { types: string; default: string }>;
};

/** `sensebind/device` for `./device`. */
const entries = Object.keys(packageJson.exports).filter((key) => !key.includes("*") && !key.endsWith(".json"));

test.each(entries)("the public names of %s are these", async (entry) => {
  const module = (await import(entry.replace(/^\./, "sensebind"))) as Record<string, unknown>;
  expect(Object.keys(module).sort()).toMatchSnapshot();
});

test("every entry of the package exists once it is built", () => {
  for (const target of Object.values(packageJson.exports)) {
    if (typeof target === "string" || target.default.includes("*")) continue;
    for (const file of [target.types, target.default]) {
      expect(existsSync(fileURLToPath(new URL(file, root))), file).toBe(true);
    }
  }
});
