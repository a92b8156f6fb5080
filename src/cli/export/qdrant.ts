import * as z from "zod";
import { sameSpace } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Stored } from "../../space/store/stored.js";
import { batches, batchSize, nameOf, pointId } from "./point.js";

export interface QdrantOptions {
  /** Of its REST interface: http://host:6333. */
  readonly url: string;
  readonly space: string;
  readonly dim: number;
  readonly collection?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly onProgress?: (sent: number) => void;
}

const Collection = z.object({
  result: z.object({ config: z.object({ params: z.object({ vectors: z.object({ size: z.int() }) }) }) }),
});
const Scrolled = z.object({
  result: z.object({ points: z.array(z.object({ payload: z.object({ space: z.string() }).partial().nullish() })) }),
});

/**
 * Puts embeddings into a collection of Qdrant, made where it is not there, in batches over its REST interface. Points have
 * ids of their own, so that sending them again changes nothing. Throws `SPACE_MISMATCH` for a collection of another space,
 * `EXPORT_FAILED` where the database cannot be reached or refuses. Gives how many were sent.
 */
export async function exportToQdrant(items: Iterable<Stored>, options: QdrantOptions): Promise<number> {
  const { space, collection = nameOf(space), onProgress } = options;
  const path = `/collections/${encodeURIComponent(collection)}`;
  await makeCollection(path, options);
  let sent = 0;
  for (const batch of batches(items, batchSize)) {
    const points = batch.map((item) => {
      const { vector, ...payload } = item;
      return { id: pointId(space, item), vector: [...vector], payload: { space, ...payload } };
    });
    await ask(options, { method: "PUT", path: `${path}/points?wait=true`, body: { points } });
    sent += points.length;
    onProgress?.(sent);
  }
  return sent;
}

async function makeCollection(path: string, options: QdrantOptions): Promise<void> {
  const { dim, space } = options;
  const found = await ask(options, { method: "GET", path, absent: true });
  if (found === undefined) {
    await ask(options, { method: "PUT", path, body: { vectors: { size: dim, distance: "Cosine" } } });
    return;
  }
  const { size } = read(Collection, found, path).result.config.params.vectors;
  const body = { limit: 1, with_payload: ["space"], with_vector: false };
  const scrolled = await ask(options, { method: "POST", path: `${path}/points/scroll`, body });
  const there = read(Scrolled, scrolled, path).result.points[0]?.payload?.space;
  if (there !== undefined) sameSpace(there, space);
  if (size === dim) return;
  throw new SenseError("SPACE_MISMATCH", `the collection takes vectors of ${size} dimensions, the store has ${dim}`, {
    hint: "Name another one with --collection.",
  });
}

function read<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SenseError("EXPORT_FAILED", `what the database says of ${path} is not what Qdrant says`, {
    hint: "Check --url: it should be Qdrant's REST interface. A collection with named vectors is not supported.",
  });
}

interface Ask {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly body?: unknown;
  /** Whether 404 is an answer, undefined, rather than a failure. */
  readonly absent?: boolean;
}

async function ask({ url, apiKey }: QdrantOptions, { method, path, body, absent = false }: Ask): Promise<unknown> {
  const headers = { "content-type": "application/json", ...(apiKey && { "api-key": apiKey }) };
  const target = `${url.replace(/\/+$/, "")}${path}`;
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(target, init).catch((cause: unknown) => {
    throw new SenseError("EXPORT_FAILED", `${url} cannot be reached`, {
      hint: "Check --url, and whether the database runs.",
      cause,
    });
  });
  if (response.status === 404 && absent) return undefined;
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new SenseError(
    "EXPORT_FAILED",
    `${method} ${path} was refused with ${response.status}: ${text.slice(0, 200)}`,
    {
      hint: response.status === 401 || response.status === 403 ? "Set QDRANT_API_KEY." : "See the log of the database.",
    },
  );
}
