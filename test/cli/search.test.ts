import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { bundleFixture } from "../encoder/bundle-fixture.js";
import { sensebind } from "./spawn.js";

let dir: string;
let bundle: string;
const file = (name: string) => join(dir, name);
const run = (...args: string[]) => sensebind(...args, "--bundle", bundle);

const colours = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255] } as const;

beforeAll(async () => {
  bundle = await bundleFixture();
  dir = await mkdtemp(join(tmpdir(), "sensebind-search-"));
  for (const [name, [r, g, b]] of Object.entries(colours)) {
    await sharp({ create: { width: 20, height: 20, channels: 3, background: { r, g, b } } })
      .png()
      .toFile(file(`${name}.png`));
  }
  const { code } = await run(
    "embed",
    "vision",
    ...Object.keys(colours).map((name) => file(`${name}.png`)),
    "--store",
    file("store"),
  );
  expect(code).toBe(0);
});

const found = async (...args: string[]) => {
  const { stdout } = await run("search", "--store", file("store"), "--json", ...args);
  return (JSON.parse(stdout) as { sensor: string; score: number }[]).map(({ sensor }) => sensor);
};

test("words find the pictures they name, best first", async () => {
  expect((await found("--text", "red"))[0]).toBe(file("red.png"));
  expect(await found("--text", "blue", "--top", "1")).toEqual([file("blue.png")]);
});

test("a file finds itself, and signs take meaning away", async () => {
  expect(await found("--file", file("green.png"), "--top", "1")).toEqual([file("green.png")]);
  expect(await found("--text", "red", "--text", "blue", "--minus-file", file("red.png"), "--top", "1")).toEqual([
    file("blue.png"),
  ]);
});

test("filters leave out what is of another sensor or modality", async () => {
  expect(await found("--text", "red", "--sensor", file("blue.png"))).toEqual([file("blue.png")]);
  expect(await found("--text", "red", "--among", "audio")).toEqual([]);
  expect(await found("--text", "red", "--until", "2001-01-01T00:00:00Z")).toEqual([]);
  expect(await found("--text", "red", "--since", "2001-01-01T00:00:00Z", "--exact", "--index")).toHaveLength(3);
});

test.each([
  ["a folder that is no store", ["--store", "nowhere", "--text", "red"], "BAD_STORE"],
  ["nothing to look for", ["--store", "store", "--minus-text", "red"], "BAD_ARGUMENT"],
  ["a file of unknown kind", ["--store", "store", "--file", "thing.xyz"], "BAD_ARGUMENT"],
  ["a time that is none", ["--store", "store", "--text", "red", "--since", "noon"], "BAD_ARGUMENT"],
  ["a number that is none", ["--store", "store", "--text", "red", "--top", "0"], "BAD_ARGUMENT"],
])("%s is refused with a code and exit 2", async (_, args, errorCode) => {
  const { code, stderr } = await run(
    "search",
    ...args.map((arg) => (/^(nowhere|store|thing)/.test(arg) ? file(arg) : arg)),
  );
  expect([code, stderr.split(":")[0]]).toEqual([2, errorCode]);
});

test("a store of another space is never searched", async () => {
  const other = await bundleFixture({ id: "other" });
  const { code, stderr } = await sensebind("search", "--store", file("store"), "--text", "red", "--bundle", other);
  expect([code, stderr.split(":")[0]]).toEqual([2, "SPACE_MISMATCH"]);
});
