import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorTable } from "../src/core/errors.js";

test("docs/errors.md lists exactly the codes of the table, with their meaning", () => {
  const page = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
  expect(rows).toEqual(Object.entries(errorTable));
});

test("the table is in alphabetical order, so that a new code has one place", () => {
  const codes = Object.keys(errorTable);
  expect(codes).toEqual([...codes].sort());
});
