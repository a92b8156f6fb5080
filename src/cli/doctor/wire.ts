import type { Config } from "../../config.js";
import { startBroker } from "../../publish/aedes.js";
import { type Environment, isTrusted, resolveBroker, withoutUserinfo } from "../../publish/broker.js";
import { inspectOutbox } from "../../publish/outbox/inspect.js";
import { largestPacket } from "../../publish/packet.js";
import { reachBroker } from "../../publish/reach.js";
import { ok, type Seen, warning } from "./finding.js";

export interface WireLook {
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/** Whether the broker can be reached with these credentials, and what it lets the node do. */
export async function lookAtBroker(
  config: Pick<Config, "broker" | "node" | "commands">,
  look: WireLook,
): Promise<Seen> {
  const { node, broker: options, commands } = config;
  await using embedded = options === undefined ? await startBroker() : undefined;
  const broker = resolveBroker(options ?? { url: embedded!.url }, look.environment);
  const { version, roundTripMs, limits, refused } = await reachBroker(broker, { node, signal: look.signal });
  const where = embedded === undefined ? withoutUserinfo(broker.url) : "the embedded broker";
  const facts = { url: where, version, roundTripMs, limits, refused };
  const sentence = `${where} speaks MQTT ${version} and acknowledges in ${roundTripMs.toFixed(1)} ms`;
  if (refused.length > 0) {
    return warning(
      `${where} refuses ${refused.join("; ")}`,
      "Give this user the rights that docs/mqtt.md lists.",
      facts,
    );
  }
  if (limits.maximumPacketSize < smallPacket) {
    const size = `it takes packets of at most ${limits.maximumPacketSize} bytes`;
    return warning(
      `${sentence}, but ${size}`,
      "Larger messages are shrunk or refused: raise the broker's limit.",
      facts,
    );
  }
  if (commands && !isTrusted(broker)) {
    return warning(
      `${sentence}; commands are off, for it asks for no password`,
      "Give it a password, or set `commands: false`.",
      facts,
    );
  }
  return ok(sentence, facts);
}

/** An event with its explanation has about 700 bytes, a vector of 1024 float32 4 KB. */
const smallPacket = Math.min(8192, largestPacket);

/** What waits for the broker, what was given up, and what a failing disk has done to it. */
export async function lookAtOutbox(folder: string): Promise<Seen> {
  const report = await inspectOutbox(folder);
  if (report === undefined) return ok("nothing has waited for the broker yet", { folder });
  const { waiting, bytes, losses, damaged } = report;
  const lost = Object.entries(losses).filter(([, count]) => count > 0);
  const given = lost.map(([what, count]) => `${count} ${what}`).join(", ");
  const sentence = `${waiting} messages wait (${bytes} bytes); ${given === "" ? "none" : given} given up since the folder was made`;
  const facts = { folder, waiting, bytes, losses, damaged };
  if (damaged.length > 0) {
    return warning(
      `${damaged.join(", ")} cannot be read to the end; ${sentence}`,
      "The disk has changed what was written: replace it.",
      facts,
    );
  }
  if (lost.length === 0) return ok(sentence, facts);
  return warning(sentence, "The broker was away for longer than the disk's room lasts, or the disk was full.", facts);
}
