import { setTimeout as wait } from "node:timers/promises";
import { isSenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import { type Duration, ms, s } from "../core/time.js";
import { backoff } from "./backoff.js";
import type { Broker } from "./broker.js";
import { type Incoming, isVersionRefusal, type Link, milderWill, openLink } from "./mqtt.js";
import type { Outbox, Stored } from "./outbox/letter.js";
import { largestPacket, type Packet, type Refusal } from "./packet.js";
import { packetSize } from "./packet-size.js";

/** How patient the courier is. */
export interface Patience {
  /** The first and the longest wait before a new connection is tried. */
  readonly first: Duration;
  readonly longest: Duration;
  /** A connection attempt that takes longer is given up. */
  readonly connect: Duration;
  /** A broker that acknowledges nothing for so long is taken for dead: its link may be half open. */
  readonly acknowledge: Duration;
  readonly keepalive: Duration;
}

export const patience: Patience = {
  first: ms(250),
  longest: s(30),
  connect: s(10),
  acknowledge: s(20),
  keepalive: s(30),
};

export interface CourierOptions {
  readonly broker: Broker;
  readonly clientId: string;
  readonly outbox: Outbox;
  readonly patience: Patience;
  /** The last will of a connection that is about to be opened. */
  readonly will: () => Packet;
  /** What is said first on each new connection, before anything from the outbox. */
  readonly greeting: () => readonly Packet[];
  /** Retained messages that this connection's broker may not have: those whose topic is not in `said`. */
  readonly recall: (said: ReadonlySet<string>) => readonly Packet[];
  /** Topics that are subscribed on each new connection. */
  readonly filters: readonly string[];
  readonly onMessage: (message: Incoming) => void;
  /** The packet of a letter that fits the link's limits; undefined if there is none. */
  readonly pack: (letter: Stored, fits: (packet: Packet) => boolean) => Packet | undefined;
  /** A letter that the broker will not take was given up. */
  readonly onRefused: (letter: Stored, refusal: Refusal) => void;
  readonly log: Log;
}

/** Keeps one connection to the broker and carries letters over it: in order, each until it is acknowledged. */
export interface Courier extends AsyncDisposable {
  readonly connected: boolean;
  /** False for a packet that is larger than the broker takes. */
  readonly fits: (packet: Packet) => boolean;
  /** Sends a packet that is not kept: before the outbox if QoS 1, at once if QoS 0. False if it cannot go now. */
  send(packet: Packet): boolean;
  /** Resolves when nothing is waiting or unacknowledged. */
  idle(): Promise<void>;
}

/** QoS 1 messages under way at most: enough to hide a round trip of 50 ms at 10,000 messages a second. */
const longestWindow = 512;

/** QoS 0 is dropped when the socket is so many bytes behind. */
const longestBacklog = 2 ** 20;

/** So many links in a row that did not last are a pattern. */
const shortInARow = 4;

const tooLarge: Refusal = { code: 149, text: "the packet is too large for the broker" };

/** Starts to connect at once and goes on until it is disposed of. */
export function startCourier(options: CourierOptions): Courier {
  const { outbox, log } = options;
  const stop = new AbortController();
  let ending = false;
  let link: Link | undefined;
  let urgent: Packet[] = [];
  let underWay = 0;
  let idlers: (() => void)[] = [];
  let watchdog: NodeJS.Timeout | undefined;
  let pumping = false;
  /** Topics that this link has carried, until those that it has not are recalled. */
  let said: Set<string> | undefined;
  let recallAt = 0;

  const fits = (packet: Packet): boolean => {
    const most = link?.limits.maximumPacketSize ?? largestPacket;
    return (most === largestPacket && packet.payload.length < 2 ** 20) || packetSize(packet) <= most;
  };

  /** A half-open link takes everything and answers nothing; only the missing acknowledgements show it. */
  function watch(): void {
    if (underWay === 0) {
      clearTimeout(watchdog);
      watchdog = undefined;
    } else if (watchdog === undefined) {
      const watched = link;
      const cut = () => watched?.destroy("the broker acknowledges nothing");
      watchdog = setTimeout(cut, options.patience.acknowledge / 1e3);
    } else {
      watchdog.refresh();
    }
  }

  function carry(on: Link, packet: Packet, done: (refusal?: Refusal) => void): void {
    if (underWay++ === 0) watch();
    said?.add(packet.topic);
    on.publish(packet, (refusal) => {
      if (on !== link) return;
      underWay--;
      done(refusal);
      pumpSoon();
    });
  }

  /** Acknowledgements come many at a time: what they make room for goes out in one write. */
  function pumpSoon(): void {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      watch();
      pump();
    });
  }

  function settle(letter: Stored, refusal?: Refusal): void {
    if (refusal !== undefined) options.onRefused(letter, refusal);
    outbox.settle(letter.position);
  }

  function sendUrgent(on: Link, packet: Packet): void {
    carry(on, packet, (refusal) => {
      if (refusal !== undefined)
        log.warn({ topic: packet.topic, reason: refusal.text }, "the broker refused a message");
    });
  }

  function sendNext(on: Link): boolean {
    const letter = outbox.take();
    if (said !== undefined && (letter === undefined || letter.position >= recallAt)) {
      const before = said;
      said = undefined;
      urgent.push(...options.recall(before).filter(fits));
    }
    if (letter === undefined) return urgent.length > 0;
    const packed = options.pack(letter, fits);
    if (packed === undefined) settle(letter, tooLarge);
    else carry(on, packed, (refusal) => settle(letter, refusal));
    return true;
  }

  function pump(): void {
    while (link !== undefined && !ending && underWay < Math.min(link.limits.receiveMaximum, longestWindow)) {
      const packet = urgent.shift();
      if (packet !== undefined) sendUrgent(link, packet);
      else if (!sendNext(link)) break;
    }
    if (underWay === 0 && urgent.length === 0 && outbox.pending === 0) {
      for (const resolve of idlers) resolve();
      idlers = [];
    }
  }
  outbox.onReady = pump;

  async function serve(opened: Link): Promise<string> {
    for (const filter of options.filters) {
      const refusal = await opened.subscribe(filter);
      if (refusal !== undefined) log.warn({ filter, reason: refusal.text }, "the broker refused a subscription");
    }
    link = opened;
    said = new Set();
    recallAt = outbox.next;
    urgent = options.greeting().filter(fits);
    pump();
    const why = await opened.closed;
    link = undefined;
    urgent = [];
    underWay = 0;
    watch();
    outbox.rewind();
    return why;
  }

  async function run(): Promise<void> {
    let version: 4 | 5 = 5;
    let will: Pick<Packet, "qos" | "retain"> | undefined;
    const { first, longest } = options.patience;
    let short = 0;
    for (let waits = backoff({ first, longest, name: options.clientId }); !ending; ) {
      try {
        const opened = await openLink({
          broker: options.broker,
          clientId: options.clientId,
          version,
          will: { ...options.will(), ...will },
          keepaliveSeconds: Math.ceil(options.patience.keepalive / 1e6),
          connectTimeoutMs: options.patience.connect / 1e3,
          onMessage: options.onMessage,
          signal: stop.signal,
        });
        log.info({ version: version === 5 ? "5.0" : "3.1.1" }, "connected to the broker");
        const began = performance.now();
        const why = await serve(opened);
        if (ending) return;
        // Two nodes of one name throw each other out for ever: links that do not last must not be renewed ever faster.
        short = (performance.now() - began) * 1e3 < 20 * first ? short + 1 : 0;
        if (short === 0) waits = backoff({ first, longest, name: options.clientId });
        if (short < shortInARow) log.warn({ why }, "the connection to the broker is lost");
        else
          log.warn({ why, times: short }, "the connection is lost again and again: does another node have this name?");
      } catch (error) {
        if (!isSenseError(error, "BROKER_UNREACHABLE")) throw error;
        if (ending) return;
        const refused = isVersionRefusal(error);
        if (refused) version = version === 5 ? 4 : 5;
        if (refused && version === 4) continue;
        const milder = milderWill(error, { ...options.will(), ...will });
        if (milder !== undefined) {
          will = { qos: milder.qos, retain: milder.retain };
          continue;
        }
        log.warn({ why: error.message }, "the broker cannot be reached");
      }
      await wait(waits.next().value / 1e3, undefined, { signal: stop.signal }).catch(ignore);
    }
  }
  const running = run();
  running.catch((error: unknown) => log.error({ error }, "messages are no longer carried to the broker"));

  return {
    get connected() {
      return link !== undefined;
    },
    fits,
    send(packet) {
      if (link === undefined || ending || !fits(packet)) return false;
      if (packet.qos === 0) {
        if (link.buffered() > longestBacklog) return false;
        link.publish(packet);
        return true;
      }
      urgent.push(packet);
      pump();
      return true;
    },
    idle() {
      return new Promise<void>((resolve) => {
        idlers.push(resolve);
        pump();
      });
    },
    async [Symbol.asyncDispose]() {
      ending = true;
      await link?.end();
      stop.abort();
      await running;
    },
  };
}

const ignore = (): void => {};
