import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { generate, type IConnackPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";

/** One connection to the adversary, as seen from the broker's side. */
export interface Side {
  /** Counts the connections, from 0. */
  readonly number: number;
  readonly socket: Socket;
  send(packet: Packet): void;
}

export interface Script {
  /** What CONNECT is answered with; nothing: not at all. */
  readonly connack?: (side: Side) => Partial<IConnackPacket> | undefined;
  /** What happens on a QoS 1 message; acknowledged unless given. */
  readonly publish?: (packet: IPublishPacket, side: Side) => void;
  readonly connected?: (side: Side) => void;
}

export interface Adversary extends AsyncDisposable {
  readonly url: string;
  /** Every PUBLISH in order, with the number of its connection and the bytes that it took. */
  readonly published: readonly { readonly packet: IPublishPacket; readonly connection: number }[];
  readonly connections: number;
  /** Payloads as JSON on a topic that contains a text. */
  on(part: string): Record<string, unknown>[];
}

/** A broker for MQTT 5 that does what its script says, nothing good by itself. */
export async function adversary(script: Script): Promise<Adversary> {
  const published: { packet: IPublishPacket; connection: number }[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const side: Side = {
      number: connections++,
      socket,
      send: (packet) => void (socket.writable && socket.write(generate(packet, { protocolVersion: 5 }))),
    };
    sockets.add(socket);
    socket.on("error", () => {});
    const parse = parser({ protocolVersion: 5 });
    socket.on("data", (chunk) => void parse.parse(chunk));
    parse.on("packet", (packet) => {
      if (packet.cmd === "connect") {
        const answer = script.connack === undefined ? {} : script.connack(side);
        if (answer === undefined) return;
        side.send({ cmd: "connack", reasonCode: 0, sessionPresent: false, ...answer } as IConnackPacket);
        if ((answer.reasonCode ?? 0) === 0) script.connected?.(side);
        else socket.end();
      } else if (packet.cmd === "subscribe") {
        side.send({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
      } else if (packet.cmd === "pingreq") {
        side.send({ cmd: "pingresp" });
      } else if (packet.cmd === "publish") {
        published.push({ packet, connection: side.number });
        if (script.publish !== undefined) script.publish(packet, side);
        else if (packet.qos === 1) acknowledge(packet, side);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    published,
    get connections() {
      return connections;
    },
    on: (part) =>
      published
        .filter(({ packet }) => packet.topic.includes(part))
        .map(({ packet }) => JSON.parse(packet.payload.toString()) as Record<string, unknown>),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export const acknowledge = (packet: IPublishPacket, side: Side, reasonCode = 0): void =>
  side.send({ cmd: "puback", messageId: packet.messageId!, reasonCode });
