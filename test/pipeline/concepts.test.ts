import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { parseConfig } from "../../src/config.js";
import { cosine } from "../../src/core/embedding.js";
import { type Bundle, openBundle } from "../../src/encoder/bundle.js";
import type { Runtime } from "../../src/encoder/runtime.js";
import { workerRuntime } from "../../src/encoder/worker-runtime.js";
import { conceptsBySensor } from "../../src/pipeline/concepts.js";
import { bundleFixture } from "../encoder/bundle-fixture.js";

/** Counts how often graphs are loaded, by file. */
function counting(runtime: Runtime, loads: string[]): Runtime {
  return {
    name: runtime.name,
    providers: runtime.providers,
    load: (model, options) => {
      loads.push(String(model).split("/").at(-1)!);
      return runtime.load(model, options);
    },
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sensebind-concepts-"));
  for (const [name, r, b] of [
    ["red", 200, 10],
    ["blue", 10, 200],
  ] as const) {
    const create = { width: 24, height: 16, channels: 3 as const, background: { r, g: 10, b } };
    await writeFile(join(dir, `${name}.png`), await sharp({ create }).png().toBuffer());
  }
  return dir;
}

const asked = (concepts: unknown, sensors = ["camera"]) =>
  parseConfig(
    JSON.stringify({
      sensors: Object.fromEntries(sensors.map((id) => [id, { device: "files", modality: "vision" }])),
      concepts,
    }),
    "c.yaml",
  );

async function withBundle<T>(body: (bundle: Bundle, loads: string[]) => Promise<T>): Promise<T> {
  const loads: string[] = [];
  await using runtime = await workerRuntime();
  await using bundle = await openBundle(await bundleFixture(), counting(runtime, loads));
  return await body(bundle, loads);
}

test("however many sensors and concepts there are, the text tower is loaded once", async () => {
  await withBundle(async (bundle, loads) => {
    await conceptsBySensor(asked({ red: "red", blue: ["blue", "green"] }, ["a", "b", "c"]), bundle);
    expect(loads).toEqual(["text.onnx"]);
  });
});

test("an example is near the words for what it shows, and its content is encoded once", async () => {
  const files = await folder();
  const folders = { files, state: join(files, "state") };
  await withBundle(async (bundle, loads) => {
    const config = asked({ red: "red", shown: { examples: ["red.png"] }, other: { examples: { file: "blue.png" } } });
    const [red, shown, other] = (await conceptsBySensor(config, bundle, folders)).get("camera")!.concepts;
    expect(cosine(red!.vector, shown!.vector)).toBeGreaterThan(cosine(red!.vector, other!.vector) + 0.3);
    const before = loads.length;
    await writeFile(join(files, "copy.png"), await sharp(join(files, "red.png")).toBuffer());
    const again = await conceptsBySensor(asked({ shown: { examples: "red.png" } }), bundle, folders);
    expect(again.get("camera")!.concepts[0]!.vector).toEqual(shown!.vector);
    expect(loads.length).toBe(before + 1);
  });
});

test("an example that is not there, or whose name does not tell what it is, is refused", async () => {
  const files = await folder();
  await writeFile(join(files, "thing.xyz"), "?");
  await withBundle(async (bundle) => {
    const refused = (examples: unknown) => conceptsBySensor(asked({ x: { examples } }), bundle, { files });
    await expect(refused("gone.png")).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await expect(refused("thing.xyz")).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});

test("a circle of concepts is told at its place in the file, with its members", () => {
  const text = "sensors: {}\nconcepts:\n  a: { concepts: b }\n  b: { plus: { concept: a } }\n";
  expect(() => parseConfig(text, "c.yaml")).toThrow(/c\.yaml:3:8: .*a -> b -> a/);
  expect(() => parseConfig("sensors: {}\nconcepts:\n  a: { plus: [{ exampel: x.wav }] }\n", "c.yaml")).toThrow(
    /c\.yaml:3:17: .*no setting is called "exampel"/,
  );
});
