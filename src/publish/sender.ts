import type { Duplex } from "node:stream";
import type { Limits, Packet, Refusal } from "./packet.js";
import type { PacketIds } from "./packet-ids.js";
import { publishPacket } from "./publish-packet.js";
import { reasonText } from "./reasons.js";
import { TopicAliases } from "./topic-aliases.js";

export interface SenderOptions {
  readonly ids: PacketIds;
  readonly version: 4 | 5;
  readonly limits: Limits;
  /** Topic aliases that the broker takes. */
  readonly aliases: number;
}

type Done = (refusal?: Refusal) => void;

/** MQTT 5, section 3.4.2.1: nobody subscribes, which is no refusal. */
const noSubscribers = 16;

/**
 * Writes PUBLISH packets to a connection and matches their acknowledgements. mqtt.js would copy each message for a store that
 * it resends from; here the outbox is that store.
 */
export class Sender {
  readonly #stream: Pick<Duplex, "cork" | "uncork" | "write">;
  readonly #options: SenderOptions;
  readonly #aliases: TopicAliases;
  readonly #waiting = new Map<number, Done>();
  #corked = false;

  constructor(stream: Pick<Duplex, "cork" | "uncork" | "write">, options: SenderOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#aliases = new TopicAliases(options.aliases);
  }

  /** `done` is called once: when a QoS 1 message is acknowledged or refused, or one of QoS 0 is written. */
  send(packet: Packet, done: Done): void {
    const { ids, version, limits } = this.#options;
    const qos = limits.maximumQos === 0 ? 0 : packet.qos;
    const id = qos === 0 ? 0 : ids.allocate();
    if (id === null) throw new RangeError("more messages are under way than there are packet identifiers");
    if (qos === 1) this.#waiting.set(id, done);
    const { topic, alias } = this.#aliases.use(packet.topic);
    const retain = packet.retain && limits.retain;
    const chunks = publishPacket(packet, { version, id, qos, retain, topic, alias });
    this.#cork();
    const last = chunks.length - 1;
    for (const [i, chunk] of chunks.entries()) {
      if (i < last || qos === 1) this.#stream.write(chunk);
      else this.#stream.write(chunk, (error) => (error ? undefined : done()));
    }
  }

  acknowledged(id: number, code: number): void {
    const done = this.#waiting.get(id);
    if (done === undefined) return;
    this.#waiting.delete(id);
    this.#options.ids.deallocate(id);
    done(code === 0 || code === noSubscribers ? undefined : { code, text: reasonText(code) });
  }

  /** What is sent before the caller returns goes out in one write. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    queueMicrotask(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }
}
