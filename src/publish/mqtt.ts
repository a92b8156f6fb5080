import type { ClientRequestArgs } from "node:http";
import { Socket } from "node:net";
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from "mqtt";
import { SenseError } from "../core/errors.js";
import type { Broker } from "./broker.js";
import { withoutUserinfo } from "./broker.js";
import { type Limits, largestPacket, type Packet, type Refusal } from "./packet.js";
import { PacketIds } from "./packet-ids.js";
import { reasonText } from "./reasons.js";
import { Sender } from "./sender.js";

/** A message that came in. */
export interface Incoming {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
}

/** One connection to a broker. It is single-use: when it is lost, open another. */
export interface Link {
  readonly version: 4 | 5;
  readonly limits: Limits;
  /** Bytes written that the socket has not taken yet. */
  readonly buffered: () => number;
  /** `done` is called once: on the broker's acknowledgement (QoS 1) or refusal, or not at all if the link is lost. */
  publish(packet: Packet, done?: (refusal?: Refusal) => void): void;
  /** Resolves with the broker's refusal, if it refused. */
  subscribe(filter: string): Promise<Refusal | undefined>;
  /** Resolves when the connection is gone, with the reason in words. */
  readonly closed: Promise<string>;
  /** Says goodbye, so that the broker does not send the will. */
  end(): Promise<void>;
  /** Cuts the connection without a word. */
  destroy(why: string): void;
}

export interface LinkOptions {
  readonly broker: Broker;
  readonly clientId: string;
  readonly version: 4 | 5;
  /** What the broker says in our name when the link is lost; a visitor has none. */
  readonly will?: Packet;
  readonly keepaliveSeconds: number;
  readonly connectTimeoutMs: number;
  readonly onMessage: (message: Incoming) => void;
  readonly signal: AbortSignal;
}

/** MQTT 5 reason, or 3.1.1 return code, that says: not in this version. Aedes sends 1, an MQTT 5 broker 0x84. */
const unsupportedVersion = new Set([1, 0x84]);

/** True if the broker said that it does not speak the version that was tried. */
export const isVersionRefusal = (error: unknown): boolean =>
  error instanceof SenseError && error.cause instanceof Error && unsupportedVersion.has(codeOf(error.cause) ?? -1);

/** A last will as a broker takes it that refused another: without retaining (0x9a), with QoS 0 (0x9b). Undefined if it did not. */
export function milderWill(error: SenseError, will: Packet): Packet | undefined {
  const code = error.cause instanceof Error ? codeOf(error.cause) : undefined;
  if (code === 0x9a && will.retain) return { ...will, retain: false };
  if (code === 0x9b && will.qos === 1) return { ...will, qos: 0 };
  return undefined;
}

/** Opens one connection. Throws `BROKER_UNREACHABLE` with the broker's reason in words. */
export function openLink(options: LinkOptions): Promise<Link> {
  const { broker, signal } = options;
  // A fresh object for each connection: mqtt.js writes into it, and two clients that share one take each other's session.
  const ids = new PacketIds();
  const client = mqtt.connect(broker.url, clientOptions(options, ids));
  client.on("message", (topic, payload, packet) => options.onMessage(incoming(topic, payload, packet)));
  let lost: (why: string) => void = ignore;
  const closed = new Promise<string>((resolve) => {
    lost = resolve;
  });
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    let why: string | undefined;
    const abort = () => client.end(true);
    signal.addEventListener("abort", abort, { once: true });
    client.on("error", (error) => {
      failure ??= error;
    });
    client.on("disconnect", ({ reasonCode = 0 }) => {
      why ??= `the broker closed the connection: ${reasonText(reasonCode)}`;
    });
    client.once("close", () => {
      signal.removeEventListener("abort", abort);
      const code = codeOf(failure);
      const text = why ?? (code === undefined ? failure?.message : reasonText(code)) ?? "the connection was closed";
      lost(text);
      reject(unreachable(broker, text, failure));
      client.end(true);
    });
    client.once("connect", (connack) => {
      // With few messages under way at once, Nagle's algorithm would wait for what never comes.
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      const cut = (reason: string) => {
        why ??= reason;
        client.end(true);
      };
      resolve(linkOf(client, { ids, connack, version: options.version, closed, cut }));
    });
  });
}

function unreachable(broker: Broker, text: string, cause: Error | undefined): SenseError {
  return new SenseError("BROKER_UNREACHABLE", `${withoutUserinfo(broker.url)}: ${text}`, {
    hint: "Check that the broker runs, its address, and the user and password that it wants.",
    cause,
  });
}

const codeOf = (error: Error | undefined): number | undefined =>
  error !== undefined && "code" in error && typeof error.code === "number" ? error.code : undefined;

function clientOptions({ broker, clientId, version, will, ...options }: LinkOptions, ids: PacketIds): IClientOptions {
  return {
    clientId,
    protocolVersion: version,
    clean: true,
    keepalive: options.keepaliveSeconds,
    connectTimeout: options.connectTimeoutMs,
    // The outbox keeps and resends what was not acknowledged; mqtt.js keeps nothing and reconnects never.
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    timerVariant: "native",
    messageIdProvider: ids,
    ...(will === undefined ? {} : { will: willOf(will, version) }),
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: broker.password }),
    ...(broker.ca === undefined ? {} : { ca: broker.ca }),
    ...(broker.cert === undefined ? {} : { cert: broker.cert }),
    ...(broker.key === undefined ? {} : { key: broker.key }),
    ...alpn(broker),
  };
}

const willOf = ({ topic, payload, qos, retain }: Packet, version: 4 | 5): NonNullable<IClientOptions["will"]> => ({
  topic,
  payload: Buffer.from(payload),
  qos,
  retain,
  ...(version === 5 ? { properties: { contentType: "application/json" } } : {}),
});

/** mqtt.js hands ALPN to a TLS socket, but not to a WebSocket. */
function alpn({ alpn, url }: Broker): IClientOptions {
  if (alpn === undefined) return {};
  const tls = { ALPNProtocols: [...alpn] };
  return url.startsWith("wss:") ? { wsOptions: tls as ClientRequestArgs } : tls;
}

const incoming = (topic: string, payload: Buffer, packet: IPublishPacket): Incoming => ({
  topic,
  payload,
  retain: packet.retain,
  responseTopic: packet.properties?.responseTopic,
  correlationData: packet.properties?.correlationData,
});

interface Established {
  readonly ids: PacketIds;
  readonly connack: IConnackPacket;
  readonly version: 4 | 5;
  readonly closed: Promise<string>;
  readonly cut: (reason: string) => void;
}

function linkOf(client: MqttClient, { ids, connack, version, closed, cut }: Established): Link {
  const granted = connack.properties ?? {};
  const limits: Limits = {
    receiveMaximum: granted.receiveMaximum ?? 65535,
    maximumPacketSize: granted.maximumPacketSize ?? largestPacket,
    retain: granted.retainAvailable ?? true,
    maximumQos: granted.maximumQoS === 0 ? 0 : 1,
  };
  const sender = new Sender(client.stream, { ids, version, limits, aliases: granted.topicAliasMaximum ?? 0 });
  client.on("packetreceive", (packet) => {
    if (packet.cmd === "puback") sender.acknowledged(packet.messageId!, packet.reasonCode ?? 0);
  });
  return {
    version,
    limits,
    buffered: () => client.stream.writableLength,
    publish(packet, done = ignore) {
      if (client.connected) sender.send(packet, done);
    },
    subscribe(filter) {
      return new Promise((resolve) => {
        client.subscribe(filter, { qos: 1 }, (error) => {
          const code = codeOf(error ?? undefined);
          if (error === null || error === undefined) resolve(undefined);
          else resolve({ code: code ?? 128, text: code === undefined ? error.message : reasonText(code) });
        });
      });
    },
    closed,
    async end() {
      if (client.connected) await client.endAsync();
      else client.end(true);
    },
    destroy: cut,
  };
}

const ignore = (): void => {};
