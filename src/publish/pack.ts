import { embeddingContentType } from "./embedding-format.js";
import type { Letter } from "./outbox/letter.js";
import type { Packet } from "./packet.js";
import { asInt8, withoutExplanation } from "./shrink.js";

/** A letter as a packet that the broker takes, made smaller if it must be; undefined if it cannot be. */
export function pack({ topic, payload, retain, space }: Letter, fits: (packet: Packet) => boolean): Packet | undefined {
  const packet: Packet =
    space === undefined
      ? { topic, payload, retain, qos: 1, contentType: "application/json" }
      : {
          topic,
          payload,
          retain,
          qos: 0,
          contentType: embeddingContentType,
          userProperties: { space, sensor: topic.split("/")[3]! },
        };
  if (fits(packet)) return packet;
  const smaller = { ...packet, payload: space === undefined ? withoutExplanation(payload) : asInt8(payload) };
  return fits(smaller) ? smaller : undefined;
}
