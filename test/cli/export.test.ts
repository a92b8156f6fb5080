import { mkdtempSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { exportToQdrant } from "../../src/cli/export/qdrant.js";
import { normalize } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import type { Micros } from "../../src/core/time.js";
import { Store } from "../../src/space/store/store.js";
import { stored } from "../../src/space/store/stored.js";
import { sensebind } from "./spawn.js";

const dim = 8;
let folder: string;

beforeAll(() => {
  const random = seeded(3);
  folder = join(mkdtempSync(join(tmpdir(), "export-")), "s");
  const store = Store.open(folder, { id: "nano:abc", dim });
  for (let i = 0; i < 300; i++) {
    const vector = normalize(Array.from({ length: dim }, () => gaussian(random)));
    const [from, to] = [1.7e15 + i * 1e6, 1.7e15 + (i + 1) * 1e6] as [Micros, Micros];
    store.add({ sensor: `it's${i % 2}`, modality: "audio", seq: i, from, to, space: "nano:abc", vector });
  }
  store.flush();
});

// The form of Qdrant's REST interface, version 1: strict, so that a field it does not know is found.
const uuid = z.uuid();
const Create = z.strictObject({ vectors: z.strictObject({ size: z.int().positive(), distance: z.literal("Cosine") }) });
const Upsert = z.strictObject({
  points: z
    .array(
      z.strictObject({ id: uuid, vector: z.array(z.number()).length(dim), payload: z.record(z.string(), z.unknown()) }),
    )
    .min(1),
});
const Scroll = z.strictObject({ limit: z.int(), with_payload: z.array(z.string()), with_vector: z.boolean() });

let server: Server | undefined;
afterEach(() => server?.close());

/** What answers as Qdrant's documentation says it does, and keeps the points it was given. */
async function qdrant({ key }: { key?: string } = {}) {
  const collections = new Map<string, { size: number; points: Map<string, Record<string, unknown>> }>();
  const batches: number[] = [];
  server = createServer(async (request, response) => {
    const answer = (status: number, result: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(status < 300 ? { result, status: "ok", time: 0 } : { status: { error: result } }));
    };
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    if (key !== undefined && request.headers["api-key"] !== key) return answer(401, "Must provide an API key");
    const { pathname } = new URL(request.url!, "http://x");
    const [, name, rest = ""] = /^\/collections\/([^/]+)(.*)$/.exec(pathname) ?? [];
    const there = collections.get(name ?? "");
    const call = `${request.method} ${rest}`;
    if (call === "PUT ") {
      collections.set(name!, { size: Create.parse(body).vectors.size, points: new Map() });
      return answer(200, true);
    }
    if (!there) return answer(404, `Not found: Collection \`${name}\` doesn't exist!`);
    if (call === "GET ")
      return answer(200, { config: { params: { vectors: { size: there.size, distance: "Cosine" } } } });
    if (call === "POST /points/scroll") {
      const { limit } = Scroll.parse(body);
      return answer(200, { points: [...there.points.values()].slice(0, limit) });
    }
    if (call === "PUT /points") {
      const { points } = Upsert.parse(body);
      batches.push(points.length);
      for (const point of points) there.points.set(point.id, point);
      return answer(200, { operation_id: 0, status: "completed" });
    }
    return answer(400, call);
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, collections, batches };
}

const nano = { space: "nano:abc", dim };
const items = () => stored(Store.openAny(folder));

test("a collection is made and filled in batches; sent again, nothing is there twice", async () => {
  const { url, collections, batches } = await qdrant();
  const { code, stdout } = await sensebind("export", "--store", folder, "--to", "qdrant", "--url", url, "--json");
  expect([code, JSON.parse(stdout)]).toEqual([0, { sent: 300, space: "nano:abc" }]);
  expect(batches).toEqual([256, 44]);
  expect(await exportToQdrant(items(), { url, ...nano })).toBe(300);
  const { size, points } = collections.get("sensebind_nano_abc")!;
  expect([size, points.size]).toEqual([dim, 300]);
  expect([...points.values()][7]).toMatchObject({
    payload: { space: "nano:abc", sensor: "it's1", modality: "audio", seq: 7, from: 1.7e15 + 7e6, to: 1.7e15 + 8e6 },
  });
});

test("a collection of another space or size is refused before anything is sent", async () => {
  const { url, batches } = await qdrant();
  await exportToQdrant(items(), { url, ...nano, collection: "ours" });
  const sent = batches.length;
  const refused = { code: "SPACE_MISMATCH" };
  await expect(exportToQdrant(items(), { url, space: "other:1", dim, collection: "ours" })).rejects.toMatchObject(
    refused,
  );
  await expect(exportToQdrant([], { url, ...nano, dim: 9, collection: "ours" })).rejects.toMatchObject(refused);
  expect(batches.length).toBe(sent);
});

test("a database that is not there, wants a key or is none says so, and what to do", async () => {
  const { url } = await qdrant({ key: "secret" });
  await expect(exportToQdrant(items(), { url, ...nano })).rejects.toMatchObject({
    code: "EXPORT_FAILED",
    hint: "Set QDRANT_API_KEY.",
  });
  expect(await exportToQdrant(items(), { url, ...nano, apiKey: "secret" })).toBe(300);
  server?.close();
  await expect(exportToQdrant(items(), { url: "http://127.0.0.1:1", ...nano })).rejects.toMatchObject({
    code: "EXPORT_FAILED",
  });
});

test("SQL for pgvector holds each embedding once, with its time to the microsecond and its quotes doubled", async () => {
  const { code, stdout } = await sensebind("export", "--store", folder, "--to", "pgvector", "--sensor", "it's1");
  expect(code).toBe(0);
  expect(stdout).toContain("embedding vector(8) NOT NULL");
  expect(stdout.match(/^INSERT INTO "sensebind_nano_abc"/gm)).toHaveLength(1);
  const rows = [
    ...stdout.matchAll(/^\('([0-9a-f-]{36})','nano:abc','it''s1','audio',(\d+),'([^']+)','[^']+','\[([^\]]+)\]'\)/gm),
  ];
  expect(rows).toHaveLength(150);
  expect(new Set(rows.map(([, id]) => id)).size).toBe(150);
  const [, , seq, began, vector] = rows[3]!;
  expect([seq, began]).toEqual(["7", "2023-11-14T22:13:27.000000Z"]);
  const original = [...items()][7]!.vector;
  expect(Float32Array.from(vector!.split(","), Number)).toEqual(Float32Array.from(original));
});

test.each([
  ["no database", [], "BAD_ARGUMENT"],
  ["Qdrant without an address", ["--to", "qdrant"], "BAD_ARGUMENT"],
  ["a folder that is no store", ["--to", "pgvector", "--store", "/nowhere"], "BAD_STORE"],
])("%s is refused with a code and exit 2", async (_, args, errorCode) => {
  const { code, stderr } = await sensebind("export", "--store", folder, ...args);
  expect([code, stderr.split(":")[0]]).toEqual([2, errorCode]);
});
