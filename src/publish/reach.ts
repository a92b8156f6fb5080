import type { Broker } from "./broker.js";
import { isVersionRefusal, type Link, openLink } from "./mqtt.js";
import type { Limits } from "./packet.js";
import { topics } from "./topics.js";

/** What a broker grants a node, as a short visit shows it. */
export interface Reached {
  readonly version: "5.0" | "3.1.1";
  /** From a QoS 1 message to its acknowledgement, in ms. */
  readonly roundTripMs: number;
  readonly limits: Limits;
  /** What the broker does not let this node do, in words. */
  readonly refused: readonly string[];
}

export interface ReachOptions {
  readonly node: string;
  readonly signal: AbortSignal;
}

/**
 * Visits a broker under a name of its own, so that a running node keeps its session; what it publishes is an empty answer
 * to nobody. Throws `BROKER_UNREACHABLE` with the reason in words.
 */
export async function reachBroker(broker: Broker, { node, signal }: ReachOptions): Promise<Reached> {
  const link = await openEither(broker, { node, signal });
  try {
    const { root, command } = topics(node);
    const subscribed = await link.subscribe(command("#"));
    const { text, roundTripMs } = await send(link, `${root}/reply/doctor`);
    return {
      version: link.version === 5 ? "5.0" : "3.1.1",
      roundTripMs,
      limits: link.limits,
      refused: [
        ...(subscribed === undefined ? [] : [`to subscribe to ${command("#")}: ${subscribed.text}`]),
        ...(text === undefined ? [] : [`to publish below ${root}: ${text}`]),
      ],
    };
  } finally {
    await Promise.race([link.end(), link.closed]);
  }
}

async function openEither(broker: Broker, { node, signal }: ReachOptions): Promise<Link> {
  const options = {
    broker,
    clientId: `sensebind-doctor-${node}`,
    keepaliveSeconds: 30,
    connectTimeoutMs: 5000,
    onMessage: () => {},
    signal,
  };
  try {
    return await openLink({ ...options, version: 5 });
  } catch (error) {
    if (!isVersionRefusal(error)) throw error;
    return await openLink({ ...options, version: 4 });
  }
}

async function send(link: Link, topic: string): Promise<{ roundTripMs: number; text?: string }> {
  const start = performance.now();
  const packet = { topic, payload: Buffer.from("{}"), qos: link.limits.maximumQos, retain: false };
  const answered = new Promise<string | undefined>((resolve) =>
    link.publish(packet, (refusal) => resolve(refusal?.text)),
  );
  const text = await Promise.race([answered, link.closed]);
  return { roundTripMs: performance.now() - start, ...(text === undefined ? {} : { text }) };
}
