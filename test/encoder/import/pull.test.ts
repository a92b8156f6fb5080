import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packageFile } from "../../../src/cli/package.js";
import { isSenseError } from "../../../src/core/errors.js";
import { type Catalog, readCatalog } from "../../../src/encoder/import/catalog.js";
import { download } from "../../../src/encoder/import/download.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import { pullBundle } from "../../../src/encoder/import/pull.js";
import { pullModel } from "../../../src/encoder/import/pull-model.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { tinyModels } from "./tiny-models.js";

const [tiny] = tinyModels();
const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
const body = Buffer.from(Uint8Array.from({ length: 4_000_000 }, (_, i) => (i * 7919) % 251));
const sha256 = "d4c9ef8e1b5d8a7c".padEnd(64, "0");

type Serve = (request: IncomingMessage, response: ServerResponse, n: number) => void;

let folder: string;
let bundleDir: string;
let runtime: Runtime;
let server: Server;
let base: string;
let serve: Serve;
let requests: { readonly url: string; readonly range: string | undefined }[];
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-pull-"));
  runtime = await workerRuntime();
  bundleDir = join(folder, "origin");
  await importImageBind(tiny!.checkpoint, {
    out: bundleDir,
    config: tiny!.config,
    vocabulary,
    runtime,
    modalities: ["imu"],
  });
  server = createServer((request, response) => {
    requests.push({ url: request.url!, range: request.headers.range });
    serve(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  requests = [];
});

const target = (): string => join(folder, `file-${count++}`);
const noWait = { wait: async () => {} };
const refused =
  (code: "DOWNLOAD_FAILED" | "BAD_BUNDLE" | "LICENCE_NOT_ACCEPTED" | "BAD_ARGUMENT") => (error: unknown) =>
    isSenseError(error, code);

/** Serves a body with ranges, as a web server does. */
function send(request: IncomingMessage, response: ServerResponse, data: Buffer): void {
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const headers = { etag: '"v1"', "content-length": data.length - from };
  if (from === 0) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${data.length - 1}/${data.length}` });
  response.end(data.subarray(from));
}

/** Says the whole length, gives so many bytes, and ends the connection. */
function breakOff(request: IncomingMessage, response: ServerResponse, bytes: number): void {
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const range = { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` };
  response.writeHead(from === 0 ? 200 : 206, {
    etag: '"v1"',
    "content-length": body.length - from,
    ...(from ? range : {}),
  });
  response.write(body.subarray(from, from + bytes), () => response.destroy());
}

describe("a download", () => {
  test("goes on where the server broke off, as often as it brings something new", async () => {
    serve = (request, response, n) => (n < 8 ? breakOff(request, response, 700_000) : send(request, response, body));
    const path = target();
    await download(path, { url: `${base}/f`, bytes: body.length }, { ...noWait, attempts: 3 });
    expect(body.equals(await readFile(path))).toBe(true);
    expect(requests.length).toBeGreaterThan(3);
    const starts = requests.map(({ range }) => Number(/\d+/.exec(range ?? "0")![0]));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(existsSync(`${path}.etag`)).toBe(false);
  });

  test("that was interrupted goes on in the next call", async () => {
    const path = target();
    serve = (request, response, n) => (n === 1 ? breakOff(request, response, 900_000) : response.destroy());
    await expect(download(path, { url: `${base}/f` }, { ...noWait, attempts: 2 })).rejects.toSatisfy(
      refused("DOWNLOAD_FAILED"),
    );
    const have = (await stat(path)).size;
    expect(have).toBeGreaterThan(0);
    requests = [];
    serve = (request, response) => send(request, response, body);
    await download(path, { url: `${base}/f` }, noWait);
    expect(requests).toEqual([{ url: "/f", range: `bytes=${have}-` }]);
    expect(body.equals(await readFile(path))).toBe(true);
  });

  test("is given up after attempts that bring nothing", async () => {
    serve = (_, response) => response.destroy();
    await expect(download(target(), { url: `${base}/f` }, { ...noWait, attempts: 4 })).rejects.toThrow(
      /broke off 4 times/,
    );
    expect(requests).toHaveLength(4);
  });

  test("begins anew where the server knows no ranges", async () => {
    serve = (request, response, n) => {
      if (n === 1) return breakOff(request, response, 800_000);
      response.writeHead(200, { "content-length": body.length });
      response.end(body);
    };
    const path = target();
    await download(path, { url: `${base}/f`, bytes: body.length }, noWait);
    expect(body.equals(await readFile(path))).toBe(true);
  });

  test("that continues another version of the file is found by its hash and taken anew", async () => {
    const other = Buffer.from(body).fill(1, 0, 900_000);
    serve = (request, response, n) => {
      if (n > 1) return send(request, response, body);
      response.writeHead(200, { "content-length": body.length });
      response.write(other.subarray(0, 800_000), () => response.destroy());
    };
    const path = target();
    const { createHash } = await import("node:crypto");
    const hash = createHash("sha256").update(body).digest("hex");
    await download(path, { url: `${base}/f`, bytes: body.length, sha256: hash }, noWait);
    expect(body.equals(await readFile(path))).toBe(true);
  });

  test("of the wrong hash is refused and removed", async () => {
    serve = (request, response) => send(request, response, body);
    const path = target();
    const failed = download(path, { url: `${base}/f`, bytes: body.length, sha256 }, noWait);
    await expect(failed).rejects.toSatisfy(refused("DOWNLOAD_FAILED"));
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    [
      "says another length than the manifest",
      (response: ServerResponse) => response.writeHead(200, { "content-length": body.length + 5 }).end(body),
    ],
    [
      "gives more than the manifest's length and says none",
      (response: ServerResponse) => response.writeHead(200).end(Buffer.concat([body, body])),
    ],
    ["answers 404", (response: ServerResponse) => response.writeHead(404).end("not here")],
    ["answers 403", (response: ServerResponse) => response.writeHead(403).end()],
  ])("from a server that %s is refused at once", async (_, answer) => {
    serve = (_request, response) => void answer(response);
    const failed = download(target(), { url: `${base}/f`, bytes: body.length }, noWait);
    await expect(failed).rejects.toSatisfy(refused("DOWNLOAD_FAILED"));
    expect(requests).toHaveLength(1);
  });

  test("from a server that gives less than it says is asked for again, then refused", async () => {
    serve = (_, response) => response.writeHead(200).end(body.subarray(0, 10));
    const failed = download(target(), { url: `${base}/f`, bytes: body.length }, { ...noWait, attempts: 3 });
    await expect(failed).rejects.toThrow(/of 4000000 bytes came/);
  });

  test("waits out a server that is busy, and follows redirects", async () => {
    serve = (request, response, n) => {
      if (n === 1) response.writeHead(503).end();
      else if (request.url === "/f") response.writeHead(302, { location: "/elsewhere" }).end();
      else send(request, response, body);
    };
    const path = target();
    await download(path, { url: `${base}/f` }, noWait);
    expect(body.equals(await readFile(path))).toBe(true);
    expect(requests.map(({ url }) => url)).toEqual(["/f", "/f", "/elsewhere"]);
  });

  test("from a server that goes round in circles is given up", async () => {
    serve = (_, response) => response.writeHead(302, { location: "/f" }).end();
    await expect(download(target(), { url: `${base}/f` }, { ...noWait, attempts: 2 })).rejects.toSatisfy(
      refused("DOWNLOAD_FAILED"),
    );
  });

  test("from a server that goes silent counts as broken off", async () => {
    serve = (request, response, n) => {
      if (n > 1) return send(request, response, body);
      response.writeHead(200, { "content-length": body.length, etag: '"v1"' });
      response.write(body.subarray(0, 5000));
    };
    const path = target();
    await download(path, { url: `${base}/f` }, { ...noWait, stall: 200 });
    expect(body.equals(await readFile(path))).toBe(true);
  });

  test("ends when it is told to", async () => {
    serve = (_, response) => void response.writeHead(200).write("x");
    const abort = new AbortController();
    const failed = download(
      target(),
      { url: `${base}/f` },
      { ...noWait, signal: abort.signal, onProgress: () => abort.abort() },
    );
    await expect(failed).rejects.toThrow(/abort/i);
  });
});

describe("a bundle", () => {
  const files: Serve = (request, response) => {
    const file = decodeURIComponent(request.url!.replace("/bundle/", ""));
    readFile(join(bundleDir, file)).then(
      (data) => send(request, response, data),
      () => response.writeHead(404).end(),
    );
  };
  const options = (out: string, acceptLicence = true) => ({ out, acceptLicence, ...noWait });

  test.each(["/bundle", "/bundle/", "/bundle/manifest.json"])("is pulled from %s and is complete", async (path) => {
    serve = files;
    const out = target();
    const manifest = await pullBundle(base + path, options(out));
    expect((await readdir(out)).sort()).toEqual(["manifest.json", ...Object.keys(manifest.files)].sort());
    expect(existsSync(`${out}.part`)).toBe(false);
  });

  test("under a non-commercial licence needs its acceptance, before anything large is downloaded", async () => {
    serve = files;
    const out = target();
    await expect(pullBundle(`${base}/bundle/`, options(out, false))).rejects.toSatisfy(refused("LICENCE_NOT_ACCEPTED"));
    expect(requests.map(({ url }) => url)).toEqual(["/bundle/manifest.json"]);
    expect(existsSync(out)).toBe(false);
  });

  test("with a file that was changed is refused, and no bundle is there", async () => {
    serve = (request, response, n) => {
      if (request.url !== "/bundle/imu.onnx.data") return files(request, response, n);
      readFile(join(bundleDir, "imu.onnx.data")).then(
        (data) => send(request, response, data.fill(9, 0, 10)),
        () => {},
      );
    };
    const out = target();
    await expect(pullBundle(`${base}/bundle/`, options(out))).rejects.toSatisfy(refused("DOWNLOAD_FAILED"));
    expect(existsSync(out)).toBe(false);
  });

  test.each([
    ["a path outside the folder", (text: string) => text.replaceAll('"imu.onnx"', '"../imu.onnx"')],
    ["inconsistent", (text: string) => text.replace('"imu.onnx"', '"other.onnx"')],
    ["no JSON", () => "<html>"],
    ["a manifest of another format", (text: string) => text.replace("sensebind.bundle/1", "other/1")],
  ])("whose manifest is %s is refused and leaves nothing", async (_, change) => {
    serve = (request, response, n) => {
      if (!request.url!.endsWith("manifest.json")) return files(request, response, n);
      readFile(join(bundleDir, "manifest.json"), "utf8").then(
        (text) => send(request, response, Buffer.from(change(text))),
        () => {},
      );
    };
    const out = target();
    await expect(pullBundle(`${base}/bundle/`, options(out))).rejects.toSatisfy(refused("BAD_BUNDLE"));
    expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false);
  });

  test("never overwrites a folder that is there", async () => {
    serve = files;
    await expect(pullBundle(`${base}/bundle/`, options(bundleDir))).rejects.toSatisfy(refused("BAD_ARGUMENT"));
    expect(requests).toEqual([]);
  });
});

describe("the catalogue", () => {
  test("that ships with the project is one, and says of each model its size, licence and origin", async () => {
    const { models } = await readCatalog(packageFile("models", "catalog.json"));
    expect(models.map(({ id }) => id)).toContain("imagebind-huge");
    expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
    expect(models.find(({ id }) => id === "imagebind-huge")?.licence.nonCommercial).toBe(true);
  });

  const licence = { spdx: "MIT", nonCommercial: false, url: "https://example.org/licence" };
  const catalogOf = (url: string): Catalog => ({
    format: "sensebind.catalog/1",
    models: [
      {
        id: "m",
        title: "M",
        modalities: ["vision"],
        bytes: 1,
        licence,
        from: "https://example.org",
        kind: "transformers",
        files: [{ path: "vision_model.onnx", url }],
      },
    ],
  });

  test("gets a model that is then imported; one that cannot be imported leaves no bundle", async () => {
    serve = (request, response) => send(request, response, body);
    const out = target();
    const failed = pullModel("m", {
      out,
      catalog: catalogOf(`${base}/v`),
      runtime,
      vocabulary,
      acceptLicence: false,
      ...noWait,
    });
    await expect(failed).rejects.toSatisfy((error) => isSenseError(error));
    expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false);
  });

  test("refuses a name that it does not have, and tells those it has", async () => {
    const failed = pullModel("n", {
      out: target(),
      catalog: catalogOf(`${base}/v`),
      runtime,
      vocabulary,
      acceptLicence: false,
    });
    await expect(failed).rejects.toMatchObject({ code: "BAD_ARGUMENT", hint: /it has m/ });
  });
});
