import type { Packet } from "./packet.js";
import { variableLength } from "./packet-size.js";
import type { Aliased } from "./topic-aliases.js";

/** How a message goes out on one connection. */
export interface Outgoing extends Aliased {
  readonly version: 4 | 5;
  /** Of a QoS 1 message. */
  readonly id: number;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Property identifiers (MQTT 5, section 2.2.2.2). */
const property = { contentType: 0x03, correlationData: 0x09, topicAlias: 0x23, user: 0x26 } as const;

/** A payload of so many bytes is copied behind its header: one write is cheaper than the copy. */
const small = 1024;

/** A PUBLISH packet (MQTT 5 and 3.1.1, section 3.3) as chunks: its bytes up to the payload, then the payload. */
export function publishPacket(packet: Packet, { version, id, qos, retain, topic, alias }: Outgoing): readonly Buffer[] {
  const { payload } = packet;
  const properties = version === 5 ? propertiesOf(packet, alias) : none;
  const topicBytes = Buffer.byteLength(topic);
  const remaining = 2 + topicBytes + 2 * qos + properties.length + payload.length;
  const copied = payload.length <= small;
  const header = Buffer.allocUnsafe(1 + variableLength(remaining) + remaining - (copied ? 0 : payload.length));
  header[0] = 0x30 | (qos << 1) | (retain ? 1 : 0);
  let at = writeVariable(header, remaining, 1);
  at = header.writeUInt16BE(topicBytes, at);
  at += header.write(topic, at);
  if (qos === 1) at = header.writeUInt16BE(id, at);
  at += properties.copy(header, at);
  if (copied) header.set(payload, at);
  return copied ? [header] : [header, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)];
}

const none = Buffer.alloc(0);

/** The properties with their length in front. */
function propertiesOf({ contentType, userProperties, correlationData }: Packet, alias: number | undefined): Buffer {
  const users = userProperties === undefined ? [] : Object.entries(userProperties);
  let size = alias === undefined ? 0 : 3;
  if (contentType !== undefined) size += 3 + Buffer.byteLength(contentType);
  if (correlationData !== undefined) size += 3 + correlationData.length;
  for (const [name, value] of users) size += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  const bytes = Buffer.allocUnsafe(variableLength(size) + size);
  let at = writeVariable(bytes, size, 0);
  if (contentType !== undefined) at = writeText(bytes, contentType, bytes.writeUInt8(property.contentType, at));
  if (correlationData !== undefined) {
    at = bytes.writeUInt8(property.correlationData, at);
    at = bytes.writeUInt16BE(correlationData.length, at);
    bytes.set(correlationData, at);
    at += correlationData.length;
  }
  if (alias !== undefined) at = bytes.writeUInt16BE(alias, bytes.writeUInt8(property.topicAlias, at));
  for (const [name, value] of users) {
    at = writeText(bytes, value, writeText(bytes, name, bytes.writeUInt8(property.user, at)));
  }
  return bytes;
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const length = bytes.write(text, at + 2);
  bytes.writeUInt16BE(length, at);
  return at + 2 + length;
}

function writeVariable(bytes: Buffer, value: number, at: number): number {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
  bytes[at] = rest;
  return at + 1;
}
