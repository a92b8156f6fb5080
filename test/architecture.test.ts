import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith(".ts"))
    .sort();

interface Source {
  readonly path: string;
  readonly text: string;
  /** As written. */
  readonly imports: readonly string[];
  /** Own files it imports, from the root, with the ending `.ts`. */
  readonly own: readonly string[];
}

function source(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const imports = ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
  const own = imports
    .filter((name) => name.startsWith("."))
    .map((name) => normalize(join(dirname(path), name)).replace(/\.js$/, ".ts"));
  return { path, text, imports, own };
}

const src = filesOf("src").map(source);
const devices = filesOf("devices").map(source);
const product = [...src, ...devices];

/** `src/window/slide.ts` is of `window`, `src/config.ts` of `config`. */
const part = (path: string): string => path.split("/")[1]!.replace(/\.ts$/, "");

/** What each part of src/ may import beside itself. Stages know the nouns of core and nothing of one another. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  device: ["core"],
  window: ["core"],
  encoder: ["core"],
  "encoder/import": ["core", "encoder", "onnx"],
  space: ["core"],
  rules: ["core"],
  publish: ["core"],
  onnx: ["core"],
  align: ["core", "onnx", "encoder/import"],
  client: ["core", "publish"],
  testing: ["core", "device", "encoder", "publish"],
  config: ["core", "space", "rules", "publish"],
  pipeline: ["core", "device", "window", "encoder", "space", "rules", "publish", "config"],
  index: ["core", "device", "window", "encoder", "space", "rules", "publish", "config", "pipeline"],
  cli: [
    ...["core", "device", "window", "encoder", "encoder/import", "onnx", "space", "rules", "publish", "align"],
    ...["client", "config", "pipeline", "index"],
  ],
};

const roomOf = (path: string): string => (path.startsWith("src/encoder/import/") ? "encoder/import" : part(path));

/** Each library that reaches outside the process has one door, a file named after it. */
const doors: Readonly<Record<string, readonly string[]>> = {
  "onnxruntime-node": ["src/encoder/onnxruntime.ts"],
  koffi: ["src/encoder/libonnxruntime.ts"],
  sharp: ["src/device/decode/sharp.ts"],
  serialport: ["src/device/serialport.ts"],
  aedes: ["src/publish/aedes.ts"],
  // The client is what a subscriber installs: it has a connection of its own and shares nothing with the publisher.
  mqtt: ["src/publish/mqtt.ts", "src/client/mqtt.ts", "devices/mqtt-in.ts"],
  "@mcap/core": ["src/device/mcap.ts"],
  "@mcap/nodejs": ["src/device/mcap.ts"],
  pino: ["src/cli/pino.ts"],
  // It reaches nothing outside, but the build makes one file of it where it comes in.
  chevrotain: ["src/rules/chevrotain.ts"],
};

const isTestLibrary = (name: string): boolean => /^(vitest|fast-check|playwright)/.test(name);

describe("the walls", () => {
  test("imports run one way", () => {
    const broken = src.flatMap(({ path, own }) => {
      const room = roomOf(path);
      const allowed = mayImport[room];
      if (!allowed) return [`${path}: no rule for ${room}`];
      return own
        .filter((target) => roomOf(target) !== room && !allowed.includes(roomOf(target)))
        .map((target) => `${path} imports ${target}`);
    });
    expect(broken).toEqual([]);
  });

  test("core imports nothing but zod", () => {
    const broken = src
      .filter(({ path }) => part(path) === "core")
      .flatMap(({ path, imports }) =>
        imports.filter((name) => !name.startsWith(".") && name !== "zod").map((name) => `${path} imports ${name}`),
      );
    expect(broken).toEqual([]);
  });

  test("a device does nothing that a stranger's could not: it imports sensebind/device, node's own, and its driver lazily", () => {
    const broken = devices.flatMap(({ path, text, imports }) =>
      imports
        .filter((name) => name !== "sensebind/device" && !name.startsWith("node:") && name !== "zod")
        .filter((name) => name.startsWith(".") || !text.includes(`import("${name}")`))
        .map((name) => `${path} imports ${name}`),
    );
    expect(broken).toEqual([]);
  });

  test("each library that reaches outside has one door, named after it", () => {
    const broken = product.flatMap(({ path, imports }) =>
      imports.filter((name) => doors[name] && !doors[name].includes(path)).map((name) => `${path} imports ${name}`),
    );
    expect(broken).toEqual([]);
  });

  test("the process and the console belong to the command line", () => {
    const allowed = (path: string): boolean => path.startsWith("src/cli/");
    const broken = product
      .filter(({ path, text }) => !allowed(path) && /\bconsole\.\w|\bprocess\.(?!platform\b|arch\b)\w/.test(text))
      .map(({ path }) => path);
    expect(broken).toEqual([]);
  });

  test("randomness is a parameter", () => {
    expect(product.filter(({ text }) => /Math\.random\(/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("pure stages read no clock", () => {
    const pure = ["core", "window", "space", "rules", "onnx"];
    const broken = src
      .filter(
        ({ path, text }) => pure.includes(part(path)) && /Date\.now|performance\.now|setTimeout|setInterval/.test(text),
      )
      .map(({ path }) => path);
    expect(broken).toEqual([]);
  });

  test("names are explicit: no export *, no default export outside devices", () => {
    expect(product.filter(({ text }) => /^export \*/m.test(text)).map(({ path }) => path)).toEqual([]);
    expect(src.filter(({ text }) => /^export default/m.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("the product never imports a test library", () => {
    const broken = product.filter(({ imports }) => imports.some(isTestLibrary)).map(({ path }) => path);
    expect(broken).toEqual([]);
  });

  test("there is no cycle, type-only imports included", () => {
    const byPath = new Map(src.map((file) => [file.path, file]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      else if (!done.has(path)) {
        for (const target of byPath.get(path)?.own ?? []) visit(target, [...trail, path]);
        done.add(path);
      }
    };
    for (const { path } of src) visit(path, []);
    expect(cycles).toEqual([]);
  });

  test("models and firmware schemas hold no code", () => {
    const code = [...filesOf("models"), ...filesOf("firmware-schemas")].filter(
      (path) => !path.startsWith("models/build/"),
    );
    expect(code).toEqual([]);
  });

  test("names say what a thing is, not that it handles something", () => {
    const vague = /(manager|handler|processor|helper|utils?|service)s?\.ts$/i;
    expect(product.map(({ path }) => basename(path)).filter((name) => vague.test(name))).toEqual([]);
  });
});
