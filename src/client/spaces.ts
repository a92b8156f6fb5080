import { hex } from "../publish/embedding-format.js";

/** Which space a binary embedding's tag stands for: the tag is the first 8 bytes of SHA-256 of the space id. */
export class Spaces {
  readonly #names = new Map<string, string>();

  /** Learns a space from a node's status. */
  async learn(space: string): Promise<void> {
    // Web Crypto is absent in a page that came over plain http from another machine; MQTT 5 tells the space anyway.
    if (globalThis.crypto?.subtle === undefined) return;
    const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(space));
    this.#names.set(hex(new Uint8Array(digest, 0, 8)), space);
  }

  name(tag: string): string | undefined {
    return this.#names.get(tag);
  }
}
