import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const inside = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));
const pages = [...readdirSync(root), ...inside("docs"), ...inside("examples"), ...inside("models")].filter((path) =>
  path.endsWith(".md"),
);

test.each(pages)("the links of %s lead to files that are there", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);
  const relative = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(relative.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
});

test.each(pages)("%s holds no placeholder that somebody meant to fill in", (page) => {
  const prose = readFileSync(join(root, page), "utf8").replace(/`[^`]*`/g, "");
  const allowed = /^(?:SENSEBIND_|SB_|BAD_|FILE_|DEVICE_)/;
  const found = (prose.match(/^[A-Z]{3,}(?:_[A-Z]+)+$/gm) ?? []).filter((word) => !allowed.test(word));
  expect(found).toEqual([]);
});
