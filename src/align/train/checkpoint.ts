import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { SenseError } from "../../core/errors.js";
import type { LoopState } from "./loop-state.js";
import type { TrainingState } from "./trainer.js";

export interface Progress {
  readonly training: TrainingState;
  readonly loop: LoopState;
}

/** Keeps a training on disk, so that it goes on after a crash or a power loss. */
export interface Checkpoint {
  /** What was kept of a training of the same pairs and options; nothing where there is none or it is damaged. */
  load(): Promise<Progress | undefined>;
  save(progress: Progress): Promise<void>;
  remove(): Promise<void>;
}

const Recall = z.object({ at1: z.number(), at5: z.number() });
const Header = z.object({
  format: z.literal("sensebind.checkpoint/1"),
  key: z.string(),
  taken: z.int(),
  since: z.int(),
  looks: z.array(z.object({ step: z.int(), loss: z.number(), heldOut: Recall })),
  best: z.object({ step: z.int(), score: z.number() }),
  vectors: z.array(z.object({ name: z.string(), length: z.int() })),
  parameters: z.array(z.object({ name: z.string(), dims: z.array(z.int()) })),
});

/** Length of the JSON header as four little-endian bytes, the header, then all numbers as float32. */
const lengthBytes = 4;

/**
 * A checkpoint in one file, written beside its place, synced and renamed: a power loss leaves the last one whole. `key` says what
 * is being learned; a file of another key is not used.
 */
export function checkpointFile(path: string, key: string): Checkpoint {
  return {
    async load() {
      const bytes = await readFile(path).catch(() => undefined);
      return bytes === undefined ? undefined : decode(bytes, key);
    },
    async save(progress) {
      const draft = `${path}.new`;
      try {
        const file = await open(draft, "w");
        try {
          await file.writeFile(encode(progress, key));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
        const folder = await open(dirname(path), "r");
        await folder.sync().finally(() => folder.close());
      } catch (cause) {
        await rm(draft, { force: true });
        throw new SenseError(
          "FILE_UNWRITABLE",
          `the checkpoint ${path} cannot be written: ${(cause as Error).message}`,
          {
            hint: "Free some space, then start again: what was learned until the last checkpoint is kept.",
            cause,
          },
        );
      }
    },
    async remove() {
      await rm(path, { force: true });
    },
  };
}

function encode({ training, loop }: Progress, key: string): Uint8Array {
  const vectors = [...training.vectors];
  const { parameters, ...best } = loop.best!;
  const header: z.infer<typeof Header> = {
    format: "sensebind.checkpoint/1",
    key,
    taken: training.taken,
    since: loop.since,
    looks: loop.looks.map((look) => ({ ...look })),
    best,
    vectors: vectors.map(([name, data]) => ({ name, length: data.length })),
    parameters: parameters.map(({ name, dims }) => ({ name, dims: [...dims] })),
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(text.length);
  const numbers = [...vectors.map(([, data]) => data), ...parameters.map(({ data }) => data)];
  return Buffer.concat([
    length,
    text,
    ...numbers.map((data) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

function decode(bytes: Buffer, key: string): Progress | undefined {
  const size = bytes.length >= lengthBytes ? bytes.readUInt32LE() : Number.POSITIVE_INFINITY;
  if (size > bytes.length - lengthBytes) return undefined;
  const header = headerOf(bytes.subarray(lengthBytes, lengthBytes + size).toString());
  if (header === undefined || header.key !== key) return undefined;
  const sizes = [
    ...header.vectors.map(({ length }) => length),
    ...header.parameters.map(({ dims }) => dims.reduce((a, b) => a * b, 1)),
  ];
  let at = lengthBytes + size;
  if (bytes.length - at !== 4 * sizes.reduce((a, b) => a + b, 0)) return undefined;
  const numbers = sizes.map((length) => {
    // A copy at the start of its own buffer: the header leaves the rest unaligned.
    const data = new Float32Array(Uint8Array.from(bytes.subarray(at, at + 4 * length)).buffer);
    at += 4 * length;
    return data;
  });
  return {
    training: {
      taken: header.taken,
      vectors: new Map(header.vectors.map(({ name }, i) => [name, numbers[i]!])),
    },
    loop: {
      looks: header.looks,
      since: header.since,
      best: {
        ...header.best,
        parameters: header.parameters.map((p, i) => ({ ...p, data: numbers[header.vectors.length + i]! })),
      },
    },
  };
}

function headerOf(text: string): z.infer<typeof Header> | undefined {
  try {
    return Header.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
