import { setTimeout as wait } from "node:timers/promises";
import mqtt, { type IClientOptions, type IPublishPacket } from "mqtt";

export interface Received {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
  /** The payload as JSON. */
  readonly json: Record<string, unknown>;
}

export interface Subscriber extends AsyncDisposable {
  readonly messages: readonly Received[];
  readonly client: mqtt.MqttClient;
  /** Resolves with the first message that fits, past ones included. */
  until(fits: (message: Received) => boolean, what?: string): Promise<Received>;
  on(topic: string): Record<string, unknown>[];
}

/** A plain MQTT client that reconnects quickly and remembers what it got. */
export async function subscribe(url: string, filter: string | string[] = "sensebind/#", options: IClientOptions = {}) {
  const client = mqtt.connect(url, { reconnectPeriod: 50, protocolVersion: 4, ...options });
  const messages: Received[] = [];
  const wakers = new Set<() => void>();
  client.on("message", (topic, payload, packet) => {
    messages.push({
      topic,
      payload,
      packet,
      get json() {
        return JSON.parse(payload.toString()) as Record<string, unknown>;
      },
    });
    for (const wake of wakers) wake();
  });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
  });
  await client.subscribeAsync(filter, { qos: 1 });
  const subscriber: Subscriber = {
    messages,
    client,
    until(fits, what = String(fits)) {
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => finish(() => reject(new Error(`within 20 s no message: ${what}`))), 20_000);
        const look = () => {
          const found = messages.find(fits);
          if (found !== undefined) finish(() => resolve(found));
        };
        const finish = (settle: () => void) => {
          wakers.delete(look);
          clearTimeout(late);
          settle();
        };
        wakers.add(look);
        look();
      });
    },
    on: (topic) => messages.filter((message) => message.topic === topic).map((message) => message.json),
    async [Symbol.asyncDispose]() {
      await client.endAsync(true);
    },
  };
  return subscriber;
}

/** Waits until something is so; fails after a deadline. */
export async function eventually(holds: () => boolean, what = String(holds), deadlineMs = 20_000): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited >= deadlineMs) throw new Error(`not so after ${deadlineMs} ms: ${what}`);
    await wait(5);
  }
}
