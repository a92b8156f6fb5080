import { wasm } from "./kernels.js";

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of the WebAssembly interface that is used here: it is no part of TypeScript's own library without the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What kernels/window.ts exports; every pointer is a byte address in `memory`. */
interface Kernels {
  readonly memory: Memory;
  rows3(source: number, stride: number, rows: number, taps: number, outputs: number, groups: number, out: number): void;
  rows1(source: number, stride: number, rows: number, taps: number, outputs: number, groups: number, out: number): void;
  columns(source: number, length: number, taps: number, outputs: number, pairs: number, out: number): void;
  planes(bytes: number, pixels: number, channels: number, levels: number, out: number): void;
  polyphase(
    input: number,
    bank: number,
    taps: number,
    phases: number,
    period: number,
    count: number,
    out: number,
  ): void;
  fbank(
    plan: number,
    samples: number,
    frames: number,
    offset: number,
    mean: number,
    scale: number,
    out: number,
    rowStride: number,
  ): void;
}

const PAGE = 65_536;

const code = new WebAssembly.Module(Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0)));
export const kernels = new WebAssembly.Instance(code).exports as Kernels;

/**
 * Room in the kernels' memory for one call: arrays stand one after the other from address 16 on, each aligned to 16 bytes, and what an
 * earlier arena placed is overwritten. The kernels run to their end, so that no two arenas are ever in use at once.
 */
export class Arena {
  #top = 16;

  /** The address of `bytes` bytes, with whatever they held, and room to read and write 64 bytes past their end. */
  take(bytes: number): number {
    const address = this.#top;
    this.#top = Math.ceil((address + bytes + 64) / 16) * 16;
    const missing = this.#top - kernels.memory.buffer.byteLength;
    if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE));
    return address;
  }

  /** The address of a copy. */
  put(array: ArrayBufferView): number {
    const address = this.take(array.byteLength);
    this.write(address, array);
    return address;
  }

  write(address: number, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
    new Uint8Array(kernels.memory.buffer).set(new Uint8Array(buffer, byteOffset, byteLength), address);
  }

  zero(address: number, bytes: number): void {
    new Uint8Array(kernels.memory.buffer).fill(0, address, address + bytes);
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(kernels.memory.buffer).slice(address, address + length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(kernels.memory.buffer).slice(address / 4, address / 4 + length);
  }
}
