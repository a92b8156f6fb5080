import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { SenseError } from "../core/errors.js";
import { reasonText } from "../publish/reasons.js";

/** How to reach the broker; certificates are PEM texts and work in Node only. */
export interface ConnectOptions {
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** A session with a name: the broker keeps events for it for so many seconds while this client is away. */
  readonly session?: { readonly name: string; readonly keepSeconds: number };
}

export interface Arrival {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly userProperties: Readonly<Record<string, string | string[]>>;
}

export interface Connection extends AsyncDisposable {
  subscribe(filter: string, qos: 0 | 1): Promise<void>;
  publish(topic: string, payload: string): Promise<void>;
}

/** Connects, with MQTT 5 or else 3.1.1, and reconnects until it is disposed of. Throws `BROKER_UNREACHABLE`. */
export async function open(
  url: string,
  options: ConnectOptions,
  onMessage: (arrival: Arrival) => void,
): Promise<Connection> {
  const client = await newest(url, options, onMessage);
  return {
    async subscribe(filter, qos) {
      const granted = await client.subscribeAsync(filter, { qos });
      const refused = granted.find((grant) => grant.qos >= 128);
      if (refused !== undefined) {
        throw new SenseError("BROKER_UNREACHABLE", `the broker does not let this client read ${filter}`, {
          hint: "Give its user the right to read sensebind/#.",
        });
      }
    },
    async publish(topic, payload) {
      await client.publishAsync(topic, payload, { qos: 1 });
    },
    async [Symbol.asyncDispose]() {
      await client.endAsync(true);
    },
  };
}

async function newest(
  url: string,
  options: ConnectOptions,
  onMessage: (arrival: Arrival) => void,
): Promise<MqttClient> {
  try {
    return await first(url, settings(options, 5), onMessage);
  } catch (error) {
    // 1: MQTT 3.1.1's word for a version it does not know; 0x84: MQTT 5's.
    const code = error instanceof SenseError && error.cause instanceof Error ? codeOf(error.cause) : undefined;
    if (code !== 1 && code !== 0x84) throw error;
    return await first(url, settings(options, 4), onMessage);
  }
}

function settings({ session, ...options }: ConnectOptions, protocolVersion: 4 | 5): IClientOptions {
  const expiry = session === undefined ? {} : { properties: { sessionExpiryInterval: session.keepSeconds } };
  return {
    ...options,
    ...(session === undefined
      ? {}
      : { clientId: session.name, clean: false, ...(protocolVersion === 5 ? expiry : {}) }),
    protocolVersion,
    reconnectPeriod: 1000,
    reconnectOnConnackError: true,
    queueQoSZero: false,
    timerVariant: "native",
  };
}

const codeOf = (error: Error): number | undefined =>
  "code" in error && typeof error.code === "number" ? error.code : undefined;

/** The first connection must succeed; later ones are tried again and again. */
function first(url: string, options: IClientOptions, onMessage: (arrival: Arrival) => void): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect(url, options);
    client.on("message", (topic, payload, packet) => {
      const { userProperties = {} } = packet.properties ?? {};
      onMessage({ topic, payload, userProperties: { ...userProperties } });
    });
    let failure: Error | undefined;
    const fail = () => {
      client.end(true);
      const code = failure === undefined ? undefined : codeOf(failure);
      const why = code === undefined ? (failure?.message ?? "the connection was closed") : reasonText(code);
      reject(
        new SenseError("BROKER_UNREACHABLE", `the broker cannot be reached: ${why}`, {
          hint: "Check its address, and the user and password that it wants.",
          cause: failure,
        }),
      );
    };
    client.on("error", (error) => {
      failure ??= error;
    });
    client.once("close", fail);
    client.once("connect", () => {
      client.off("close", fail);
      resolve(client);
    });
  });
}
