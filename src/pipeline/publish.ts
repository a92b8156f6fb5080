import type { Config } from "../config.js";
import type { Event } from "../core/event.js";
import type { SensorHealth } from "../device/health.js";
import type { Message } from "../pipeline.js";
import type { SensorStatus } from "../publish/messages.js";
import type { Publisher } from "../publish/publisher.js";
import type { SlideCounters } from "../window/cut.js";

/** A sensor's health as the contract has it. */
export function statusOf(
  { device, modality }: Config["sensors"][string],
  health: SensorHealth,
  counters: SlideCounters,
): SensorStatus {
  const { late, dropped, skipped } = counters;
  const { offsetUs = 0, driftPpm = 0 } = health.facts.clock ?? {};
  const { decoder, note } = health.facts;
  const notes = [decoder && `decoded by ${decoder}`, note].filter(Boolean).join("; ");
  return {
    v: 1,
    state: health.state,
    modality,
    device,
    rateHz: health.rateHz ?? 0,
    dropped: health.dropped + health.lost + health.corrupt + late + dropped + skipped,
    clock: { offsetUs: Math.round(offsetUs), driftPpm },
    ...(health.reason === undefined ? {} : { error: health.reason }),
    ...(notes === "" ? {} : { note: notes }),
  };
}

function publishEvent(publisher: Publisher, event: Event): void {
  publisher.event(event);
  const { sensor, concept, phase, score, from, at } = event;
  const on = phase !== "end";
  publisher.state(sensor, concept, { v: 1, on, score, since: on ? from : at });
}

/** One message of the flow to the wire; it never waits. */
export function publish(publisher: Publisher, message: Message, { embeddings }: Config["publish"]): void {
  switch (message.kind) {
    case "event":
      publishEvent(publisher, message.event);
      break;
    case "alert":
      publisher.alert(message.alert);
      break;
    case "embedding":
      if (embeddings !== "off") publisher.embedding(message.embedding);
      break;
    case "lost":
    case "health":
      break;
    default:
      message satisfies never;
  }
}
