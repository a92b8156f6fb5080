import type { Embedding } from "../core/embedding.js";
import { decodeEmbedding, encodeEmbedding } from "./embedding-format.js";

/** The same embedding as int8, for a broker whose largest packet is smaller than the vector. */
export function asInt8(payload: Uint8Array): Uint8Array {
  const { vector, ...wire } = decodeEmbedding(payload);
  const embedding = { ...wire, sensor: "", space: "", vector: vector as Embedding["vector"] };
  return encodeEmbedding(embedding, { dtype: "int8", spaceTag: payload.subarray(32, 40) });
}

/** The same Event without `explain`, which is most of its size and optional. */
export function withoutExplanation(payload: Uint8Array): Uint8Array {
  const text = Buffer.from(payload).toString();
  if (!text.includes('"explain"')) return payload;
  const { explain: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return Buffer.from(JSON.stringify(rest));
}
