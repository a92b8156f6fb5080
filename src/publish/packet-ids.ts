const most = 65_535;

/** Packet identifiers of one connection (MQTT 5, section 2.2.1): one that is in use is not given a second time. */
export class PacketIds {
  readonly #used = new Set<number>();
  #last = 0;

  /** Null where every identifier is in use. */
  allocate(): number | null {
    if (this.#used.size === most) return null;
    do this.#last = (this.#last % most) + 1;
    while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  getLastAllocated(): number {
    return this.#last;
  }

  /** False for one that is in use. */
  register(id: number): boolean {
    const free = !this.#used.has(id);
    this.#used.add(id);
    return free;
  }

  deallocate(id: number): void {
    this.#used.delete(id);
  }

  clear(): void {
    this.#used.clear();
  }
}
