import { sameSpace } from "../core/embedding.js";
import type { Modality } from "../core/modality.js";
import type { Bundle } from "./bundle.js";

/**
 * A bundle that can be exchanged for another of the same space while it is used: a window that is being encoded is finished by the
 * old one, the next goes to the new one, none is lost.
 */
export class HotBundle implements Bundle {
  #now: Bundle;
  #underWay = new Map<Bundle, number>();
  #idle = new Map<Bundle, () => void>();

  constructor(bundle: Bundle) {
    this.#now = bundle;
  }

  get dir(): string {
    return this.#now.dir;
  }

  get manifest(): Bundle["manifest"] {
    return this.#now.manifest;
  }

  get space(): string {
    return this.#now.space;
  }

  /**
   * Puts `next` in place, its encoder of a sensor loaded before if it has one; the old one is closed when it is idle. Throws
   * `SPACE_MISMATCH`.
   */
  async exchange(next: Bundle, { id, modality }: { readonly id: string; readonly modality: Modality }): Promise<void> {
    sameSpace(this.#now.space, next.space);
    const own = next.forSensor(id);
    if (own.manifest.towers[modality] !== undefined) await own.load(modality);
    const old = this.#now;
    this.#now = next;
    if ((this.#underWay.get(old) ?? 0) > 0) {
      await new Promise<void>((resolve) => {
        this.#idle.set(old, resolve);
      });
    }
    await old[Symbol.asyncDispose]();
  }

  tower(modality: Modality): ReturnType<Bundle["tower"]> {
    return this.#now.tower(modality);
  }

  forSensor(sensor: string): Bundle {
    return this.#now.forSensor(sensor);
  }

  load(modality: Modality): Promise<void> {
    return this.#now.load(modality);
  }

  encode(...args: Parameters<Bundle["encode"]>): ReturnType<Bundle["encode"]> {
    return this.hold((bundle) => bundle.encode(...args));
  }

  encodeAll(...args: Parameters<Bundle["encodeAll"]>): ReturnType<Bundle["encodeAll"]> {
    return this.hold((bundle) => bundle.encodeAll(...args));
  }

  encodeText(...args: Parameters<Bundle["encodeText"]>): ReturnType<Bundle["encodeText"]> {
    return this.hold((bundle) => bundle.encodeText(...args));
  }

  tokenize(...args: Parameters<Bundle["tokenize"]>): ReturnType<Bundle["tokenize"]> {
    return this.hold((bundle) => bundle.tokenize(...args));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#now[Symbol.asyncDispose]());
  }

  /** Work that needs one bundle from its beginning to its end: a window is made ready as the encoder wants it that then gets it. */
  async hold<T>(work: (bundle: Bundle) => Promise<T>): Promise<T> {
    const bundle = this.#now;
    this.#underWay.set(bundle, (this.#underWay.get(bundle) ?? 0) + 1);
    try {
      return await work(bundle);
    } finally {
      const left = this.#underWay.get(bundle)! - 1;
      this.#underWay.set(bundle, left);
      if (left === 0) {
        this.#underWay.delete(bundle);
        this.#idle.get(bundle)?.();
        this.#idle.delete(bundle);
      }
    }
  }
}
