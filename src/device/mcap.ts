import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { McapChunkBuilder, McapConstants, McapRecordBuilder, McapStreamReader, type McapTypes } from "@mcap/core";
import { ByteReader } from "./byte-reader.js";

const { Opcode } = McapConstants;

/** Chunks are closed when they hold this much, or at the next flush: 1 MiB. */
const chunkSize = 2 ** 20;
const pieceSize = 2 ** 18;

/** A record that claims more than this is damage, not data: 256 MiB. */
const largestRecord = 2 ** 28;

/** What a file is about: fixed before its first message. */
export interface McapHead {
  readonly profile: string;
  readonly schema: Omit<McapTypes.Schema, "id">;
  readonly channels: readonly Omit<McapTypes.Channel, "id" | "schemaId">[];
  readonly metadata: McapTypes.Metadata;
}

/**
 * Writes an MCAP file (mcap.dev, specification 0) in chunks that can be closed at any time, which the writer of @mcap/core cannot:
 * what was flushed survives a kill of the process. `finish` adds the index. Calls must not overlap.
 */
export class McapFile {
  readonly #handle: FileHandle;
  readonly #records = new McapRecordBuilder();
  readonly #chunk = new McapChunkBuilder({ useMessageIndex: true });
  readonly #channels: readonly McapTypes.Channel[];
  readonly #schema: McapTypes.Schema;
  readonly #chunkIndexes: McapTypes.ChunkIndex[] = [];
  readonly #counts = new Map<number, bigint>();
  readonly #metadata: McapTypes.Metadata;
  #metadataAt = { offset: 0n, length: 0n };
  #position = 0n;
  #first: bigint | undefined;
  #last = 0n;

  private constructor(handle: FileHandle, { schema, channels, metadata }: McapHead) {
    this.#handle = handle;
    this.#schema = { ...schema, id: 1 };
    this.#channels = channels.map((channel, id) => ({ ...channel, id, schemaId: 1 }));
    this.#metadata = metadata;
  }

  /** Creates the file, or empties the one that is there, and writes its head. */
  static async create(path: string, head: McapHead): Promise<McapFile> {
    const file = new McapFile(await open(path, "w"), head);
    file.#records.writeMagic();
    file.#records.writeHeader({ profile: head.profile, library: "sensebind" });
    const offset = BigInt(file.#records.length);
    file.#metadataAt = { offset, length: file.#records.writeMetadata(file.#metadata) };
    file.#records.writeSchema(file.#schema);
    for (const channel of file.#channels) file.#records.writeChannel(channel);
    await file.#flushRecords();
    return file;
  }

  /** Adds a message to the open chunk, and closes the chunk when it is full. */
  async add(message: McapTypes.Message): Promise<void> {
    this.#chunk.addMessage(message);
    this.#counts.set(message.channelId, (this.#counts.get(message.channelId) ?? 0n) + 1n);
    if (this.#chunk.byteLength > chunkSize) await this.flush();
  }

  /** Closes the open chunk, if anything is in it: its messages are safe from now on. */
  async flush(): Promise<void> {
    if (this.#chunk.numMessages === 0) return;
    const { messageStartTime, messageEndTime, buffer } = this.#chunk;
    const size = BigInt(buffer.length);
    const chunkStartOffset = this.#position;
    const times = { messageStartTime, messageEndTime };
    const uncompressedCrc = crc32(buffer);
    this.#records.writeChunk({ ...times, uncompressedSize: size, uncompressedCrc, compression: "", records: buffer });
    const chunkLength = BigInt(this.#records.length);
    const messageIndexOffsets = new Map<number, bigint>();
    for (const index of this.#chunk.indices) {
      messageIndexOffsets.set(index.channelId, chunkStartOffset + BigInt(this.#records.length));
      this.#records.writeMessageIndex(index);
    }
    const messageIndexLength = BigInt(this.#records.length) - chunkLength;
    await this.#flushRecords();
    await this.#handle.datasync();
    const sizes = { compression: "", compressedSize: size, uncompressedSize: size };
    const place = { chunkStartOffset, chunkLength, messageIndexOffsets, messageIndexLength };
    this.#chunkIndexes.push({ ...times, ...place, ...sizes });
    if (this.#first === undefined || messageStartTime < this.#first) this.#first = messageStartTime;
    if (messageEndTime > this.#last) this.#last = messageEndTime;
    this.#chunk.reset();
  }

  /** Writes the index and closes the file. */
  async finish(): Promise<void> {
    await this.flush();
    this.#records.writeDataEnd({ dataSectionCrc: 0 });
    await this.#flushRecords();
    const summaryStart = this.#position;
    const groups: readonly [number, readonly (() => unknown)[]][] = [
      [Opcode.SCHEMA, [() => this.#records.writeSchema(this.#schema)]],
      [Opcode.CHANNEL, this.#channels.map((channel) => () => this.#records.writeChannel(channel))],
      [Opcode.STATISTICS, [() => this.#records.writeStatistics(this.#statistics())]],
      [Opcode.METADATA_INDEX, [() => this.#records.writeMetadataIndex({ ...this.#metadataAt, ...this.#metadata })]],
      [Opcode.CHUNK_INDEX, this.#chunkIndexes.map((index) => () => this.#records.writeChunkIndex(index))],
    ];
    const offsets: McapTypes.SummaryOffset[] = [];
    for (const [groupOpcode, writes] of groups) {
      const groupStart = this.#position;
      for (const write of writes) write();
      await this.#flushRecords();
      offsets.push({ groupOpcode, groupStart, groupLength: this.#position - groupStart });
    }
    const summaryOffsetStart = this.#position;
    for (const offset of offsets) if (offset.groupLength > 0n) this.#records.writeSummaryOffset(offset);
    this.#records.writeFooter({ summaryStart, summaryOffsetStart, summaryCrc: 0 });
    this.#records.writeMagic();
    await this.#flushRecords();
    await this.#handle.datasync();
    await this.close();
  }

  /** Closes the file as it is: what was flushed can be recovered. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  #statistics(): McapTypes.Statistics {
    return {
      messageCount: [...this.#counts.values()].reduce((sum, count) => sum + count, 0n),
      schemaCount: 1,
      channelCount: this.#channels.length,
      attachmentCount: 0,
      metadataCount: 1,
      chunkCount: this.#chunkIndexes.length,
      messageStartTime: this.#first ?? 0n,
      messageEndTime: this.#last,
      channelMessageCounts: this.#counts,
    };
  }

  async #flushRecords(): Promise<void> {
    await this.#handle.writeFile(this.#records.buffer);
    this.#position += BigInt(this.#records.length);
    this.#records.reset();
  }
}

/** A part of a file that could not be used. */
export interface McapDamage {
  readonly reason: string;
  readonly lost: number;
}

/**
 * The records of an MCAP file in the order they were written, one at a time. A chunk with a wrong checksum is left out; where a record's
 * length is damaged or the file is cut off, reading ends.
 */
export async function* readMcap(
  path: string,
  onDamage: (damage: McapDamage) => void = () => {},
): AsyncGenerator<McapTypes.TypedMcapRecord> {
  const handle = await open(path, "r");
  const stream = handle.createReadStream({ highWaterMark: pieceSize });
  const bytes = new ByteReader(stream);
  try {
    const { size } = await handle.stat();
    const magic = await bytes.take(McapConstants.MCAP_MAGIC.length);
    if (!magic || McapConstants.MCAP_MAGIC.some((byte, i) => magic[i] !== byte)) {
      return onDamage({ reason: "it does not begin as MCAP does", lost: size });
    }
    const parser = new RecordParser();
    for (let at = magic.length; ; ) {
      const head = await bytes.take(headBytes);
      const length = head && Number(new DataView(head.buffer).getBigUint64(1, true));
      const known = length !== undefined && length <= largestRecord;
      const content = known ? await bytes.take(length) : undefined;
      if (!content) {
        const reason =
          length && !known
            ? `a record claims ${length} bytes`
            : "it ends in the middle: its recorder was stopped by force";
        return onDamage({ reason, lost: size - at });
      }
      at += headBytes + content.length;
      const { records, error } = parser.parse(head!, content);
      yield* records;
      if (error) onDamage({ reason: error, lost: headBytes + content.length });
      if (head![0] === Opcode.FOOTER) return;
    }
  } finally {
    stream.destroy();
    await handle.close().catch(() => {});
  }
}

/** Opcode and length before each record. */
const headBytes = 9;

/** Parses whole records; one that is damaged costs itself. */
class RecordParser {
  #reader = new McapStreamReader({ noMagicPrefix: true });
  /** Schemas and channels: a new reader must be told them. */
  readonly #known: Uint8Array[] = [];

  parse(head: Uint8Array, content: Uint8Array): { records: McapTypes.TypedMcapRecord[]; error?: string } {
    const record = Buffer.concat([head, content]);
    try {
      const records = this.#read(record);
      if (head[0] === Opcode.SCHEMA || head[0] === Opcode.CHANNEL) this.#known.push(record);
      return { records };
    } catch (error) {
      this.#reader = new McapStreamReader({ noMagicPrefix: true });
      for (const known of this.#known) this.#read(known);
      return { records: [], error: error instanceof Error ? error.message : String(error) };
    }
  }

  #read(record: Uint8Array): McapTypes.TypedMcapRecord[] {
    const records: McapTypes.TypedMcapRecord[] = [];
    this.#reader.append(record);
    for (let next = this.#reader.nextRecord(); next; next = this.#reader.nextRecord()) records.push(next);
    return records;
  }
}
