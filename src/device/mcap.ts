import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { McapChunkBuilder, McapConstants, McapRecordBuilder, McapStreamReader, type McapTypes } from "@mcap/core";

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

/** Why reading stopped before the end of the file. */
export interface McapDamage {
  readonly reason: string;
  /** Bytes from the first that could not be used to the end of the file. */
  readonly lost: number;
}

/** The records of an MCAP file in the order they were written, a piece of the file at a time, up to its end or first damage. */
export async function* readMcap(
  path: string,
  onDamage: (damage: McapDamage) => void = () => {},
): AsyncGenerator<McapTypes.TypedMcapRecord> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const reader = new McapStreamReader();
    const piece = new Uint8Array(pieceSize);
    for (let read = 0; !reader.done(); ) {
      const { bytesRead } = await handle.read(piece, 0, pieceSize);
      read += bytesRead;
      const damage = (reason: string) => onDamage({ reason, lost: size - read + reader.bytesRemaining() });
      if (bytesRead === 0) return damage("the file ends in the middle: its recorder was stopped by force");
      const records = parse(reader, piece.subarray(0, bytesRead));
      for (let next = records.next(); ; next = records.next()) {
        if (next.done) {
          if (next.value !== undefined) return damage(next.value);
          break;
        }
        yield next.value;
      }
      if (reader.bytesRemaining() > largestRecord) return damage("a record is larger than any that is written");
    }
  } finally {
    await handle.close();
  }
}

/** The records that a piece completes; returns what is wrong with it, if anything is. */
function* parse(reader: McapStreamReader, piece: Uint8Array): Generator<McapTypes.TypedMcapRecord, string | undefined> {
  try {
    reader.append(piece);
    for (let record = reader.nextRecord(); record; record = reader.nextRecord()) yield record;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
