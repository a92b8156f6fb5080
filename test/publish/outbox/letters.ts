import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../../src/core/log.js";
import { DiskOutbox, type DiskOutboxOptions } from "../../../src/publish/outbox/disk.js";
import type { Lane, Letter, Outbox, Stored } from "../../../src/publish/outbox/letter.js";

/** A letter that says its number. */
export function letter(number: number, lane: Lane = "edge", size = 60): Letter {
  const payload = Buffer.from(JSON.stringify({ number }).padEnd(size));
  const phase = lane === "edge" ? (number % 2 === 0 ? "begin" : "end") : undefined;
  return {
    lane,
    topic: `sensebind/node1/event/cam0/${lane}`,
    payload,
    retain: false,
    seq: number,
    ...(phase === undefined ? {} : { edge: { id: `event-${number - (number % 2)}`, phase } }),
    ...(lane === "embedding" ? { space: "test:0000" } : {}),
  };
}

export const numberOf = (stored: { readonly payload: Uint8Array }): number =>
  (JSON.parse(Buffer.from(stored.payload).toString()) as { number: number }).number;

export const open = (folder: string, options: Partial<DiskOutboxOptions> = {}): Promise<DiskOutbox> =>
  DiskOutbox.open({ folder, log: silent, ...options });

/** A temporary folder that is gone at the end of the block. */
export async function scratch(): Promise<{ path: string } & AsyncDisposable> {
  // In memory where there is such a folder: these tests open and close an outbox thousands of times.
  const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const path = await mkdtemp(join(root, "sensebind-outbox-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What a kill -9 would leave: the files as they are now. */
export async function crash(folder: string): Promise<{ path: string } & AsyncDisposable> {
  const copy = await scratch();
  await cp(folder, copy.path, { recursive: true });
  return copy;
}

/** Takes all that can be taken, waiting for what has to be read from disk. */
export async function takeAll(outbox: Outbox, settle = false): Promise<Stored[]> {
  const taken: Stored[] = [];
  let alreadyOut = -1;
  while (alreadyOut !== taken.length || outbox.pending > (settle ? 0 : taken.length)) {
    alreadyOut = taken.length;
    for (let next = outbox.take(); next !== undefined; next = outbox.take()) {
      taken.push(next);
      if (settle) outbox.settle(next.position);
    }
    if (outbox.pending === (settle ? 0 : taken.length)) break;
    await new Promise<void>((resolve) => {
      outbox.onReady = resolve;
    });
    outbox.onReady = () => {};
  }
  return taken;
}
