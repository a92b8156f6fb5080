import { createHash } from "node:crypto";
import type { Modality } from "../core/modality.js";
import type { Manifest } from "./manifest.js";
import { towerFiles } from "./manifest-file.js";

/** The towers that every other one is bound to, so that a swapped head does not change the space. */
const anchors: readonly Modality[] = ["text", "vision"];

/**
 * The id of a bundle's space: `<bundle>:<12 hex digits>`, the digits being a hash over the dimension, the recipes of the
 * text and vision towers and their files (of all towers where it has neither). A bundle with a `base` keeps that one's id.
 */
export function spaceOf({ id, base, dim, towers, files }: Manifest): string {
  const present = anchors.filter((modality) => towers[modality] !== undefined);
  const defining = present.length > 0 ? present : (Object.keys(towers).sort() as Modality[]);
  const own = new Set(defining.flatMap((modality) => towerFiles({ files }, towers[modality]!)));
  const definition = [
    dim,
    defining.map((modality) => [modality, towers[modality]!.output, towers[modality]!.preprocess]),
    [...own].sort().map((file) => files[file]!.sha256),
  ];
  const hash = createHash("sha256").update(JSON.stringify(definition, sortedKeys)).digest("hex");
  return `${base ?? id}:${hash.slice(0, 12)}`;
}

/** Objects are written with their keys in order: the hash does not depend on how a file was written. */
function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
