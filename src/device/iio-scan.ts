import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SenseError } from "../core/errors.js";

/** Where a value stands in a scan, and how: `le:s12/16>>4` (Linux, Documentation/ABI/testing/sysfs-bus-iio, scan_elements). */
export interface ScanElement {
  readonly name: string;
  readonly little: boolean;
  readonly signed: boolean;
  readonly bits: number;
  readonly bytes: number;
  readonly shift: number;
  readonly offset: number;
}

/** The enabled elements in the order of their index, each aligned to its own size. */
export async function scanLayout(folder: string, wanted: (name: string) => boolean): Promise<readonly ScanElement[]> {
  const names = (await readdir(folder)).filter((file) => file.endsWith("_type")).map((file) => file.slice(0, -5));
  const found = await Promise.all(
    names.filter(wanted).map(async (name) => ({
      name,
      index: Number(await readFile(join(folder, `${name}_index`), "utf8")),
      type: (await readFile(join(folder, `${name}_type`), "utf8")).trim(),
    })),
  );
  let end = 0;
  return found
    .sort((a, b) => a.index - b.index)
    .map(({ name, type }) => {
      const [, order, sign, bits, storage, shift] = /^(le|be):([su])(\d+)\/(\d+)>>(\d+)$/.exec(type) ?? [];
      if (storage === undefined) throw new SenseError("DEVICE_FAILED", `${name} has the unknown type ${type}`);
      const bytes = Number(storage) / 8;
      const offset = Math.ceil(end / bytes) * bytes;
      end = offset + bytes;
      return {
        name,
        little: order === "le",
        signed: sign === "s",
        bits: Number(bits),
        bytes,
        shift: Number(shift),
        offset,
      };
    });
}

/** Bytes of a scan, padded to its largest element. */
export function scanBytes(layout: readonly ScanElement[]): number {
  const last = layout.at(-1)!;
  const largest = Math.max(...layout.map(({ bytes }) => bytes));
  return Math.ceil((last.offset + last.bytes) / largest) * largest;
}

/** The value of an element of the scan at byte `at`. */
export function decodeElement(view: DataView, at: number, element: ScanElement): number {
  const { bytes, little, offset, bits, shift, signed } = element;
  if (bytes === 8) return Number(view.getBigInt64(at + offset, little));
  const word =
    bytes === 4
      ? view.getUint32(at + offset, little)
      : bytes === 2
        ? view.getUint16(at + offset, little)
        : view.getUint8(at + offset);
  const value = Math.floor(word / 2 ** shift) % 2 ** bits;
  return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}
