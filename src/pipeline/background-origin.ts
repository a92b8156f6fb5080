import { createHash } from "node:crypto";
import type { Bundle } from "../encoder/bundle.js";
import { towerFiles } from "../encoder/manifest-file.js";
import type { Origins } from "../space/background/file.js";
import type { SensorConcepts } from "../space/recognise.js";

/**
 * What the scores of each sensor's concepts came from, as hashes: the concept's direction and rivals, and the files of the
 * tower. A background that was learned with another tower, or for other words, says nothing about these scores.
 */
export function originsOf(bundle: Bundle, concepts: ReadonlyMap<string, SensorConcepts>): Origins {
  return new Map(
    [...concepts].map(([sensor, { modality, modalities = [modality], concepts: asked }]) => {
      const files = modalities
        .flatMap((one) => towerFiles(bundle.manifest, bundle.forSensor(sensor).tower(one)))
        .map((file) => bundle.manifest.files[file]!.sha256);
      const origins = asked.map(({ id, vector, rivals }) => {
        const hash = createHash("sha256").update(JSON.stringify(files));
        for (const part of [vector, ...rivals.map((rival) => rival.vector)]) {
          hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
        }
        return [id, hash.digest("hex").slice(0, 16)] as const;
      });
      return [sensor, Object.fromEntries(origins)];
    }),
  );
}
