import type { Alert } from "../../src/core/alert.js";
import { type Embedding, normalize } from "../../src/core/embedding.js";
import type { Event } from "../../src/core/event.js";
import { type Log, silent } from "../../src/core/log.js";
import { micros, ms, s } from "../../src/core/time.js";
import { startBroker } from "../../src/publish/aedes.js";
import { connect, type Publisher, type PublisherOptions } from "../../src/publish/publisher.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "./mosquitto.js";

/** The two brokers that everything must work with: MQTT 5 and MQTT 3.1.1. */
export const brokers = [
  { name: `mosquitto, MQTT 5${mosquittoNote}`, skip: noMosquitto, version: 5, start: () => startMosquitto() },
  { name: "aedes, MQTT 3.1.1", skip: false, version: 4, start: () => startBroker() },
] as const;

export const clock = { now: () => micros(Date.now() * 1e3) };

export const impatient = { first: ms(20), longest: ms(100), connect: s(2), acknowledge: ms(600), keepalive: s(5) };

export const about = { version: "0.0.0", space: "test:0000", runtime: { name: "none", provider: "cpu" } };

/** A publisher named node1 that loses patience quickly. */
export function publish(url: string, options: Partial<PublisherOptions> = {}, log: Log = silent): Promise<Publisher> {
  return connect({ node: "node1", about, broker: { url }, patience: impatient, ...options }, { clock, log });
}

export const event = (seq: number, changes: Partial<Event> = {}): Event => ({
  v: 1,
  id: `event-${seq}`,
  seq,
  node: "node1",
  sensor: "cam0",
  modality: "vision",
  concept: "person",
  phase: "begin",
  score: 0.75,
  from: 1_000_000,
  to: 2_000_000,
  at: 2_000_000,
  space: "test:0000",
  latencyUs: 1500,
  ...changes,
});

export const alert = (seq: number, changes: Partial<Alert> = {}): Alert => ({
  v: 1,
  id: `alert-${seq}`,
  seq,
  node: "node1",
  rule: "intruder",
  phase: "begin",
  at: 2_000_000,
  because: ["event-0"],
  values: { count: 3 },
  ...changes,
});

export const embedding = (seq: number, dim = 384): Embedding => ({
  sensor: "cam0",
  modality: "vision",
  seq,
  from: micros(1_700_000_000_000_000 + seq),
  to: micros(1_700_000_001_000_000 + seq),
  space: "test:0000",
  vector: normalize(Float32Array.from({ length: dim }, (_, i) => Math.sin(i * 12.9898 + seq) + 0.01)),
});
