import { stat } from "node:fs/promises";
import type { UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import { micros } from "../core/time.js";
import type { Bundle } from "../encoder/bundle.js";
import { Store } from "../space/store/store.js";

/** A store of the vectors of files: a file takes the place of a sensor, and when it was last changed that of event time. */
export class FileStore {
  readonly #store: Store;

  /** Throws `SPACE_MISMATCH` for a store of another bundle's space. */
  constructor(folder: string, bundle: Bundle) {
    this.#store = Store.open(folder, { id: bundle.space, dim: bundle.manifest.dim });
  }

  async add(source: string, modality: Modality, vector: UnitVector): Promise<void> {
    if (modality === "text") {
      throw new SenseError("BAD_ARGUMENT", "a store holds what sensors saw, not words", { hint: "Leave --store out." });
    }
    const time = micros((await stat(source)).mtimeMs * 1e3);
    this.#store.add({ sensor: source, modality, seq: 0, from: time, to: time, space: this.#store.space, vector });
  }

  flush(): void {
    this.#store.flush();
  }
}
