import { resolve, sep } from "node:path";
import { SenseError } from "../core/errors.js";
import { readRange } from "./external.js";
import type { Weight } from "./value.js";

/** The little-endian bytes of a weight. Throws `BAD_MODEL` for a location outside the model's folder. */
export async function weightBytes({ storage }: Weight): Promise<Uint8Array> {
  if (storage.kind === "bytes") return storage.bytes;
  if (storage.kind === "opaque") return storage.proto;
  const folder = resolve(storage.folder ?? ".");
  const path = resolve(folder, storage.location);
  if (!path.startsWith(folder + sep)) {
    throw new SenseError("BAD_MODEL", `external data ${storage.location} lies outside the model's folder`);
  }
  return readRange(path, storage.offset, storage.length);
}
