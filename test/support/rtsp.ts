import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";

/** A network camera: RTSP over one TCP connection, H.264 in RTP packets of one unit each (RFC 2326, RFC 6184). */
export interface RtspCamera extends AsyncDisposable {
  readonly url: string;
}

/** The units of an access unit in Annex B form, without their start codes. */
function nals(unit: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  for (let i = 0; i + 3 < unit.length; i++)
    if (unit[i] === 0 && unit[i + 1] === 0 && unit[i + 2] === 1) starts.push(i + 3);
  return starts.map((from, i) => {
    const next = starts[i + 1];
    let to = next === undefined ? unit.length : next - 3;
    while (next !== undefined && unit[to - 1] === 0) to -= 1;
    return unit.subarray(from, to);
  });
}

/** Plays the access units over and over, `fps` a second, to whoever asks. */
export async function startRtspCamera(
  units: readonly Uint8Array[],
  { fps }: { readonly fps: number },
): Promise<RtspCamera> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let timer: NodeJS.Timeout | undefined;
    socket.on("error", () => {});
    socket.once("close", () => {
      clearInterval(timer);
      sockets.delete(socket);
    });
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\r\n\r\n"); end !== -1; end = text.indexOf("\r\n\r\n")) {
        const request = text.slice(0, end);
        text = text.slice(end + 4);
        const method = /(OPTIONS|DESCRIBE|SETUP|PLAY|TEARDOWN|GET_PARAMETER)/.exec(request)?.[1];
        const cseq = /CSeq: *(\d+)/i.exec(request)?.[1];
        const answer = (headers: readonly string[], body = ""): void => {
          socket.write(["RTSP/1.0 200 OK", `CSeq: ${cseq}`, ...headers, "", body].join("\r\n"));
        };
        if (method === "DESCRIBE") {
          const media = [
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 H264/90000",
            "a=fmtp:96 packetization-mode=1",
            "a=control:track1",
          ];
          const sdp = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0", ...media, ""].join(
            "\r\n",
          );
          answer(["Content-Type: application/sdp", `Content-Length: ${sdp.length}`], sdp);
        } else if (method === "SETUP") {
          answer(["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]);
        } else if (method === "PLAY") {
          answer(["Session: 1", "RTP-Info: url=track1;seq=0;rtptime=0"]);
          let index = 0;
          let seq = 0;
          timer ??= setInterval(() => {
            const parts = nals(units[index % units.length]!);
            for (const [i, nal] of parts.entries()) {
              const head = Buffer.alloc(16);
              head.write("$\0", "latin1");
              head.writeUInt16BE(nal.length + 12, 2);
              head[4] = 0x80;
              head[5] = 96 | (i === parts.length - 1 ? 0x80 : 0);
              head.writeUInt16BE(seq++ & 0xffff, 6);
              head.writeUInt32BE(Math.round((index * 90_000) / fps) >>> 0, 8);
              head.writeUInt32BE(1, 12);
              socket.write(Buffer.concat([head, nal]));
            }
            index += 1;
          }, 1000 / fps);
        } else answer(["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN", "Session: 1"]);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/stream`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
