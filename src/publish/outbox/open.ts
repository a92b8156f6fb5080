import { Alert } from "../../core/alert.js";
import { Event } from "../../core/event.js";
import type { Log } from "../../core/log.js";
import type { OutboxOptions, Publisher } from "../publisher-options.js";
import { DiskOutbox } from "./disk.js";
import type { Outbox } from "./letter.js";
import { MemoryOutbox } from "./memory.js";

/** A disk that is full or read-only must not keep a node from starting: then messages wait in memory. */
export async function openOutbox(options: OutboxOptions | undefined, log: Log): Promise<Outbox> {
  if (options === undefined) return new MemoryOutbox();
  try {
    return await DiskOutbox.open({ ...options, log });
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!["ENOSPC", "EDQUOT", "EROFS", "EACCES"].includes(code)) throw error;
    log.error({ folder: options.folder, why: message }, "messages wait for the broker in memory only");
    return new MemoryOutbox(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes });
  }
}

/** What a crash left open, as events and alerts. */
export function recover({ recovered }: Outbox): Publisher["recovered"] {
  const open = recovered.open.map((payload) => JSON.parse(Buffer.from(payload).toString()) as unknown);
  return {
    events: open.flatMap((value) => Event.safeParse(value).data ?? []),
    alerts: open.flatMap((value) => Alert.safeParse(value).data ?? []),
    nextSeq: recovered.nextSeq,
  };
}
