import { SenseError } from "../../core/errors.js";
import type { BytesFile } from "./bytes-file.js";

/** An uncompressed entry: where its bytes are in the archive. */
export interface ZipEntry {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

interface Listed {
  readonly name: string;
  readonly header: number;
  readonly length: number;
}

const refuse = (why: string): never => {
  throw new SenseError("BAD_CHECKPOINT", why, { hint: "the file is damaged or was not downloaded completely" });
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const mostEntries = 200_000;

/** Position, length and number of entries of the central directory (APPNOTE 4.3.14 to 4.3.16). */
async function directory(file: BytesFile): Promise<{ offset: number; length: number; count: number }> {
  const tail = Math.min(file.size, 22 + 65535);
  const bytes = await file.read(file.size - tail, tail);
  const view = viewOf(bytes);
  for (let at = tail - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    const classic = {
      count: view.getUint16(at + 10, true),
      length: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) return classic;
    const position = Number(view.getBigUint64(at - 20 + 8, true));
    const wide = viewOf(await file.read(position, 56));
    if (wide.getUint32(0, true) !== 0x06064b50) return refuse(`${file.path} has a broken zip64 directory`);
    const big = (offset: number): number => Number(wide.getBigUint64(offset, true));
    return { count: big(32), length: big(40), offset: big(48) };
  }
  return refuse(`${file.path} is a zip archive without its directory`);
}

/** Sizes and position from the zip64 extra field (APPNOTE 4.5.3), for those that are 0xffffffff. */
function widen(extra: DataView, values: readonly number[]): number[] {
  let fields: number[] = [];
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      const count = Math.min(Math.floor(length / 8), Math.floor((extra.byteLength - at - 4) / 8));
      fields = Array.from({ length: count }, (_, i) => Number(extra.getBigUint64(at + 4 + 8 * i, true)));
    }
    at += 4 + length;
  }
  return values.map((value) => (value === 0xffffffff ? (fields.shift() ?? value) : value));
}

async function list(file: BytesFile): Promise<Listed[]> {
  const { offset, length, count } = await directory(file);
  if (count > mostEntries) refuse(`${file.path} says it has ${count} entries`);
  const bytes = await file.read(offset, length);
  const view = viewOf(bytes);
  const entries: Listed[] = [];
  for (let at = 0; entries.length < count; ) {
    if (at + 46 > length || view.getUint32(at, true) !== 0x02014b50) refuse(`${file.path} has a broken directory`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const end = at + 46 + nameLength! + extraLength!;
    if (end > length) refuse(`${file.path} has a broken directory`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength!));
    const extra = viewOf(bytes.subarray(end - extraLength!, end));
    const sizes = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    const [plain, packed, header] = widen(extra, sizes);
    if (view.getUint16(at + 10, true) !== 0 || plain !== packed || view.getUint16(at + 8, true) & 1) {
      refuse(`${name} is compressed or encrypted; torch stores tensors as they are`);
    }
    entries.push({ name, header: header!, length: plain! });
    at = end + commentLength!;
  }
  return entries;
}

/**
 * The entries of a zip archive whose entries are stored uncompressed, zip64 included. Throws `BAD_CHECKPOINT` for a truncated
 * archive, one with entries that overlap or reach beyond the file, or with a name twice.
 */
export async function zipEntries(file: BytesFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const entries = new Map<string, ZipEntry>();
  let before: ZipEntry | undefined;
  for (const { name, header, length } of (await list(file)).sort((a, b) => a.header - b.header)) {
    const local = viewOf(await file.read(header, 30));
    if (local.getUint32(0, true) !== 0x04034b50) refuse(`${name} has no header at byte ${header}`);
    const offset = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (offset + length > file.size) {
      refuse(`${name} says it has ${length} bytes, but only ${Math.max(0, file.size - offset)} bytes follow it`);
    }
    if (before !== undefined && header < before.offset + before.length) refuse(`${name} overlaps ${before.name}`);
    if (entries.has(name)) refuse(`${name} is in the archive twice`);
    before = { name, offset, length };
    entries.set(name, before);
  }
  return entries;
}
