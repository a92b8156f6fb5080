import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { bundleFixture } from "../encoder/bundle-fixture.js";
import { jsonLines, sensebind } from "./spawn.js";

let dir: string;
let bundle: string;
const file = (name: string) => join(dir, name);
const teach = (...args: string[]) => sensebind("teach", ...args, "--bundle", bundle);

/** Pictures of one colour each, and thirty that are grey or blue. */
beforeAll(async () => {
  bundle = await bundleFixture();
  dir = await mkdtemp(join(tmpdir(), "sensebind-teach-"));
  const picture = async (name: string, r: number, g: number, b: number) =>
    writeFile(
      file(name),
      await sharp({ create: { width: 20, height: 20, channels: 3, background: { r, g, b } } })
        .png()
        .toBuffer(),
    );
  await picture("red1.png", 220, 20, 10);
  await picture("red2.png", 180, 10, 30);
  for (let i = 0; i < 30; i++) await picture(`usual${i}.png`, 20 + i, 20 + (i % 7) * 20, 120 + (i % 5) * 20);
});

const usual = () => Array.from({ length: 30 }, (_, i) => file(`usual${i}.png`));

test("what is taught from files is told with its expected precision, and runs from the file that a configuration includes", async () => {
  const out = file("concepts.yaml");
  const { code, stdout } = await teach(
    ...["signal", "--modality", "vision", file("red1.png"), file("red2.png"), "--out", out, "--json"],
    ...["--background", ...usual()],
  );
  expect(code).toBe(0);
  const [report] = jsonLines(stdout) as { shots: number; expected: { precision: number } }[];
  expect(report!.shots).toBe(2);
  expect(report!.expected.precision).toBeGreaterThan(0.1);
  await teach("other", "--modality", "vision", file("usual3.png"), "--out", out);
  const text = await readFile(out, "utf8");
  expect(text).toMatch(/signal:/);
  expect(text).toMatch(/other:/);
  await writeFile(
    file("run.yaml"),
    `node: barn
bundle: ${bundle}
sensors: { camera: { device: files, modality: vision, options: { path: "*.png", pace: fast } } }
include: concepts.yaml
rules: { alarm: { when: camera.signal } }
`,
  );
  const ran = await sensebind("run", file("run.yaml"), "--json");
  expect(ran.stderr).not.toMatch(/hint/);
  const events = jsonLines(ran.stdout) as { concept?: string; phase?: string }[];
  expect(events.filter(({ concept, phase }) => concept === "signal" && phase === "begin")).toHaveLength(1);
  const other = await bundleFixture({ id: "other" });
  await writeFile(file("moved.yaml"), (await readFile(file("run.yaml"), "utf8")).replace(bundle, other));
  const moved = await sensebind("run", file("moved.yaml"));
  expect([moved.code, moved.stderr.match(/^[A-Z_]+: .*taught in the space/m) !== null]).toEqual([2, true]);
});

test.each([
  ["nothing to learn from", ["x", "--modality", "vision"], "BAD_ARGUMENT"],
  ["files of which nobody says what they are", ["x", "red1.png"], "BAD_ARGUMENT"],
  ["an id that is none", ["Not An Id", "--modality", "vision", "red1.png"], "BAD_ARGUMENT"],
  [
    "a linear classifier without background",
    ["x", "--modality", "vision", "red1.png", "--method", "linear"],
    "BAD_ARGUMENT",
  ],
  ["a file that is not there", ["x", "--modality", "vision", "gone.png"], "FILE_UNREADABLE"],
])("%s is refused with a code and exit 2", async (_, args, errorCode) => {
  const { code, stderr } = await teach(
    ...args.map((arg) => (arg.endsWith(".png") ? file(arg) : arg)),
    "--out",
    file("c"),
  );
  expect([code, stderr.split(":")[0]]).toEqual([2, errorCode]);
});
