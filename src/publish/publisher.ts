import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Alert } from "../core/alert.js";
import type { Embedding } from "../core/embedding.js";
import type { Event } from "../core/event.js";
import { type Duration, s } from "../core/time.js";
import { type EmbeddedBroker, startBroker } from "./aedes.js";
import { Announcer } from "./announcer.js";
import { isTrusted, resolveBroker, withoutUserinfo } from "./broker.js";
import { serveCommands } from "./command-server.js";
import type { CommandHandlers } from "./commands.js";
import { type Courier, patience, startCourier } from "./courier.js";
import { encodeEmbedding } from "./embedding-format.js";
import type { Announcement } from "./home-assistant.js";
import { JsonBytes } from "./json-bytes.js";
import type { Calibration, Losses, SensorStatus, State, Status } from "./messages.js";
import type { Incoming } from "./mqtt.js";
import { type Letter, lossOf, type Outbox, type Stored } from "./outbox/letter.js";
import { openOutbox, recover } from "./outbox/open.js";
import { pack } from "./pack.js";
import type { Packet, Refusal } from "./packet.js";
import type { About, Edge, Publisher, PublisherOptions } from "./publisher-options.js";
import { Retained } from "./retained.js";
import { topics } from "./topics.js";

export type { About, Edge, OutboxOptions, Publisher, PublisherOptions } from "./publisher-options.js";

/** Begins to publish as a node. It does not wait for the broker: until there is one, messages wait in the outbox. */
export async function connect(options: PublisherOptions, edge: Edge): Promise<Publisher> {
  const names = topics(options.node);
  const embedded = options.broker === undefined ? await startBroker() : undefined;
  const broker = resolveBroker(options.broker ?? { url: embedded!.url }, edge.environment);
  return new WirePublisher({
    ...options,
    names,
    embedded,
    broker,
    edge,
    outbox: await openOutbox(options.outbox, edge.log),
  });
}

interface Parts extends Omit<PublisherOptions, "broker" | "outbox"> {
  readonly outbox: Outbox;
  readonly names: ReturnType<typeof topics>;
  readonly embedded: EmbeddedBroker | undefined;
  readonly broker: ReturnType<typeof resolveBroker>;
  readonly edge: Edge;
}

const jsonContentType = "application/json";

class WirePublisher implements Publisher {
  readonly url: string;
  readonly recovered: Publisher["recovered"];
  readonly #parts: Parts;
  readonly #outbox: Outbox;
  readonly #courier: Courier;
  readonly #json = new JsonBytes();
  readonly #retained = new Retained();
  readonly #announcer: Announcer | undefined;
  readonly #command: ((message: Incoming) => void) | undefined;
  #about: About;
  #since: number;
  #dropped: Losses = { embeddings: 0, updates: 0, events: 0 };
  #published = "";
  #lossReport: NodeJS.Timeout | undefined;
  #leaving = false;
  #tag: { readonly space: string; readonly bytes: Uint8Array } = { space: "", bytes: new Uint8Array(8) };

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#about = parts.about;
    this.#since = parts.edge.clock.now();
    this.#outbox = parts.outbox;
    this.recovered = recover(this.#outbox);
    this.url = withoutUserinfo(parts.broker.url);
    this.#command = this.#serve(parts);
    this.#announcer = this.#announce(parts);
    this.#courier = startCourier({
      broker: parts.broker,
      clientId: `sensebind-${parts.node}`,
      outbox: this.#outbox,
      patience: { ...patience, ...parts.patience },
      will: () => this.#status("offline", parts.edge.clock.now()),
      greeting: () => [this.#status("online", this.#since)],
      recall: (said) => this.#retained.except(said),
      filters: [
        parts.names.status,
        ...(this.#command === undefined ? [] : [parts.names.command("#")]),
        ...(this.#announcer?.filters ?? []),
      ],
      onMessage: (message) => this.#receive(message),
      pack,
      onRefused: (letter, refusal) => this.#refused(letter, refusal),
      log: parts.edge.log,
    });
  }

  #serve({ commands, broker, names, edge: { log } }: Parts): ((message: Incoming) => void) | undefined {
    if (commands === undefined) return undefined;
    if (!isTrusted(broker)) {
      log.warn({ broker: this.url }, "commands are off: anyone could give them on a broker that asks for no password");
      return undefined;
    }
    const own: CommandHandlers = {
      status: () => ({ status: this.#statusNow("online", this.#since), pending: this.pending }),
      snapshot: () => this.#retained.snapshot(),
    };
    const handlers = { ...own, ...commands.handlers };
    return serveCommands({ ...commands, handlers, topics: names, send: (packet) => this.#courier.send(packet), log });
  }

  #announce({ homeAssistant = false, node, about, names }: Parts): Announcer | undefined {
    if (!homeAssistant) return undefined;
    const commands = this.#command !== undefined;
    return new Announcer(
      { node, version: about.version, topics: names, commands },
      {
        retain: (topic, payload) => this.#retain(topic, payload),
        repeat: () => {
          for (const packet of this.#retained.except(new Set())) this.#courier.send(packet);
          this.#courier.send(this.#status("online", this.#since));
        },
      },
    );
  }

  get connected(): boolean {
    return this.#courier.connected;
  }

  get pending(): number {
    return this.#outbox.pending;
  }

  get losses(): Losses {
    const { losses } = this.#outbox;
    return {
      embeddings: losses.embeddings + this.#dropped.embeddings,
      updates: losses.updates + this.#dropped.updates,
      events: losses.events + this.#dropped.events,
    };
  }

  event(event: Event): void {
    const { id, phase, seq, sensor, concept } = event;
    const topic = this.#parts.names.event(sensor, concept);
    const lane = phase === "update" ? "update" : "edge";
    const edge = phase === "update" ? undefined : { id, phase };
    this.#post({ lane, topic, payload: this.#json.encode(event), retain: false, seq, edge });
  }

  alert(alert: Alert): void {
    const { id, phase, seq, rule } = alert;
    const topic = this.#parts.names.alert(rule);
    this.#post({ lane: "edge", topic, payload: this.#json.encode(alert), retain: false, seq, edge: { id, phase } });
  }

  state(sensor: string, concept: string, state: State): void {
    this.#retain(this.#parts.names.state(sensor, concept), this.#json.encode(state));
  }

  sensorStatus(sensor: string, status: SensorStatus): void {
    this.#retain(this.#parts.names.sensorStatus(sensor), this.#json.encode(status));
  }

  calibration(sensor: string, calibration: Calibration): void {
    this.#retain(this.#parts.names.calibration(sensor), this.#json.encode(calibration));
  }

  embedding(embedding: Embedding): void {
    const { dtype = "float32", keep = false } = this.#parts.embeddings ?? {};
    if (!keep && !this.#courier.connected) {
      this.#lose("embedding");
      return;
    }
    const topic = this.#parts.names.embedding(embedding.sensor);
    const payload = encodeEmbedding(embedding, { dtype, spaceTag: this.#spaceTag(embedding.space) });
    const letter: Letter = { lane: "embedding", topic, payload, retain: false, space: embedding.space };
    const packet = keep ? undefined : pack(letter, this.#courier.fits);
    if (keep) this.#post(letter);
    else if (packet === undefined || !this.#courier.send(packet)) this.#lose("embedding");
  }

  say(topic: string, text: string, { retain }: { readonly retain: boolean }): void {
    this.#post({ lane: "update", topic: this.#parts.names.action(topic), payload: Buffer.from(text), retain });
  }

  about(about: About): void {
    this.#about = about;
    this.#courier.send(this.#status("online", this.#since));
  }

  announce(announcement: Announcement): void {
    this.#announcer?.announce(announcement);
  }

  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  async drain(deadline: Duration): Promise<boolean> {
    await Promise.race([this.#courier.idle(), this.#elapsed(deadline)]);
    this.#leaving = true;
    const done = this.#outbox.pending === 0;
    if (this.#courier.send(this.#status("offline", this.#parts.edge.clock.now()))) {
      await Promise.race([this.#courier.idle(), this.#elapsed(s(1))]);
    }
    await this.#outbox.flush();
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#lossReport);
    await this.#courier[Symbol.asyncDispose]();
    await this.#outbox[Symbol.asyncDispose]();
    await this.#parts.embedded?.[Symbol.asyncDispose]();
  }

  #elapsed(span: Duration): Promise<void> {
    return wait(span / 1e3, undefined, { ref: false });
  }

  #retain(topic: string, payload: Uint8Array): void {
    this.#retained.set(topic, payload);
    this.#post({ lane: "update", topic, payload, retain: true });
  }

  #post(letter: Letter): void {
    const before = this.#outbox.losses;
    this.#outbox.append(letter);
    if (this.#outbox.losses !== before) this.#reportLosses();
  }

  #lose(lane: Letter["lane"]): void {
    const field = lossOf[lane];
    this.#dropped = { ...this.#dropped, [field]: this.#dropped[field] + 1 };
    this.#reportLosses();
  }

  /** Losses come in bursts; the status says their sum once a second. */
  #reportLosses(): void {
    this.#lossReport ??= setTimeout(() => {
      this.#lossReport = undefined;
      if (!this.#leaving && JSON.stringify(this.losses) !== this.#published) {
        this.#courier.send(this.#status("online", this.#since));
      }
    }, 1000).unref();
  }

  #statusNow(state: Status["state"], since: number): Status {
    return { v: 1, state, since, ...this.#about, lost: this.losses };
  }

  #status(state: Status["state"], since: number): Packet {
    const status = this.#statusNow(state, since);
    if (state === "online") this.#published = JSON.stringify(status.lost);
    return {
      topic: this.#parts.names.status,
      payload: this.#json.encode(status),
      qos: 1,
      retain: true,
      contentType: jsonContentType,
    };
  }

  /** A broker that noticed late that an older connection was lost sends its will after this one's greeting. */
  #receive(message: Incoming): void {
    const { topic, payload } = message;
    if (topic.startsWith(this.#parts.names.command(""))) this.#command?.(message);
    this.#announcer?.receive(message);
    if (topic !== this.#parts.names.status || this.#leaving) return;
    if (Buffer.from(payload).includes('"state":"offline"')) this.#courier.send(this.#status("online", this.#since));
  }

  #refused(letter: Stored, { text }: Refusal): void {
    this.#parts.edge.log.warn(
      { topic: letter.topic, bytes: letter.payload.length, why: text },
      "a message was refused",
    );
    this.#lose(letter.lane);
  }

  #spaceTag(space: string): Uint8Array {
    if (this.#tag.space !== space)
      this.#tag = { space, bytes: createHash("sha256").update(space).digest().subarray(0, 8) };
    return this.#tag.bytes;
  }
}
