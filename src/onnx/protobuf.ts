import { SenseError } from "../core/errors.js";

/** Writes protobuf's wire format: fields in the order of the calls, long byte fields without a copy. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];
  #pending: number[] = [];
  #size = 0;

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#pending.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#pending.push(Number(rest));
  }

  #tag(field: number, wire: number): void {
    this.#varint((field << 3) | wire);
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    this.#size += this.#pending.length;
    this.#chunks.push(Uint8Array.from(this.#pending));
    this.#pending = [];
  }

  int(field: number, value: number | bigint): this {
    this.#tag(field, 0);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, 5);
    this.#pending.push(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, 2);
    this.#varint(value.byteLength);
    this.#flush();
    this.#size += value.byteLength;
    this.#chunks.push(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, write: (writer: ProtobufWriter) => void): this {
    const inner = new ProtobufWriter();
    write(inner);
    inner.#flush();
    this.#tag(field, 2);
    this.#varint(inner.#size);
    this.#flush();
    this.#size += inner.#size;
    for (const chunk of inner.#chunks) this.#chunks.push(chunk);
    return this;
  }

  finish(): Uint8Array {
    this.#flush();
    const out = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.byteLength;
    }
    return out;
  }
}

/** One field of a message as it is on the wire: `int` for varints and fixed numbers, `bytes` for the rest. */
export interface Field {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  readonly int: bigint;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** Iterates over the fields of a message, known or not. Throws `BAD_MODEL` where the bytes end early or make no sense. */
export function* fields(message: Uint8Array): Generator<Field> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let low = 0;
    // Up to 28 bits fit a plain number; only longer ones pay for BigInt.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = next();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = next();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new SenseError("BAD_MODEL", `a number at byte ${at} has more than ten bytes`);
  };
  const next = (): number => {
    const byte = message[at++];
    if (byte === undefined) throw new SenseError("BAD_MODEL", `the message ends inside a number at byte ${at - 1}`);
    return byte;
  };
  const take = (length: number): Uint8Array => {
    if (at + length > message.byteLength) {
      throw new SenseError(
        "BAD_MODEL",
        `a field of ${length} bytes at byte ${at} is longer than the message of ${message.byteLength}`,
      );
    }
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.byteLength) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, wire: 0, int: varint(), bytes: none };
        break;
      case 1: {
        const bytes = take(8);
        yield { number, wire: 1, int: view.getBigUint64(at - 8, true), bytes };
        break;
      }
      case 2:
        yield { number, wire: 2, int: 0n, bytes: take(Number(varint())) };
        break;
      case 5: {
        const bytes = take(4);
        yield { number, wire: 5, int: BigInt(view.getUint32(at - 4, true)), bytes };
        break;
      }
      default:
        throw new SenseError("BAD_MODEL", `byte ${at} holds wire type ${tag & 7}, which protobuf no longer has`);
    }
  }
}

/** The varints of a repeated field, packed or not, as signed 64-bit numbers. */
export function repeatedInts({ wire, int, bytes }: Field): bigint[] {
  if (wire === 0) return [BigInt.asIntN(64, int)];
  const out: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) {
      out.push(BigInt.asIntN(64, value));
      value = 0n;
      shift = 0n;
    }
  }
  return out;
}

/** The text of a string field. */
export const textOf = ({ bytes }: Field): string => new TextDecoder().decode(bytes);

/** A varint field as a number. */
export const numberOf = ({ int }: Field): number => Number(BigInt.asIntN(64, int));

/** The value of a float field. */
export const floatOf = ({ bytes }: Field): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true);
