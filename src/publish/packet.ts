/** A message as it goes out; the properties are sent where the broker speaks MQTT 5. */
export interface Packet {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly contentType?: string | undefined;
  readonly userProperties?: Readonly<Record<string, string>> | undefined;
  readonly correlationData?: Uint8Array | undefined;
}

/** What the broker allows on this connection (MQTT 5; elsewhere the protocol's own limits). */
export interface Limits {
  /** QoS 1 messages that may be unacknowledged at once. */
  readonly receiveMaximum: number;
  /** Bytes of a whole packet. */
  readonly maximumPacketSize: number;
  readonly retain: boolean;
  readonly maximumQos: 0 | 1;
}

/** The broker answered a message with an error. */
export interface Refusal {
  readonly code: number;
  readonly text: string;
}

/** The largest packet that the protocol can express. */
export const largestPacket = 268_435_455;
