import type { Packet } from "./packet.js";

/** Bytes of an MQTT 5 PUBLISH packet (sections 1.5 and 3.3): an upper bound, with a topic alias that may be added. */
export function packetSize({ topic, payload, qos, contentType, userProperties = {}, correlationData }: Packet): number {
  let properties = 3;
  if (contentType !== undefined) properties += 3 + byteLength(contentType);
  if (correlationData !== undefined) properties += 3 + correlationData.length;
  for (const [name, value] of Object.entries(userProperties)) properties += 5 + byteLength(name) + byteLength(value);
  const remaining =
    2 + byteLength(topic) + (qos === 0 ? 0 : 2) + variableLength(properties) + properties + payload.length;
  return 1 + variableLength(remaining) + remaining;
}

/** Bytes of a variable byte integer (section 1.5.5). */
export const variableLength = (value: number): number =>
  value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

const byteLength = (text: string): number => Buffer.byteLength(text, "utf8");
