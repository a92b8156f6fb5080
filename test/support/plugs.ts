import { spawn } from "node:child_process";
import { constants, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { expect, vi } from "vitest";
import { readSchema } from "../../src/device/firmware/catalog.js";
import { encodeFrame } from "../../src/device/firmware/frame.js";
import { iioScan, makeIioTree } from "./iio-tree.js";
import { freePort, type Mosquitto, startMosquitto } from "./mosquitto.js";
import { processesOf } from "./processes.js";

/** A device that can be plugged in and out, as a test plays it: real programs and sockets, no mocks. */
export interface Plug {
  /** Options that open it, plugged in or not. */
  readonly options: object;
  /** Plugs it in: it sends from now on. */
  plug(): Promise<void>;
  unplug(): Promise<void>;
  /** It stays there and says nothing. */
  freeze(): void;
  thaw(): void;
  /** So many readings at once. */
  flood?(count: number): Promise<void>;
  /** Kills the program that reads it for us, where there is one. */
  kill?(): void;
  /** Programs of ours that still run. */
  running(): readonly number[];
}

const jpeg = readFileSync(new URL("../golden/decode/rgb.jpg", import.meta.url));
const folder = (): string => mkdtempSync(join(tmpdir(), "plug-"));
const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) process.kill(pid, signal);
};
const none = (): readonly number[] => [];
/** An interval that can be stopped. */
function ticking(everyMs: number, work: () => void): () => void {
  const timer = setInterval(work, everyMs);
  return () => clearInterval(timer);
}

/** A pty pair of socat, with frames of a firmware schema at 200 a second. */
export async function serialPlug(): Promise<Plug> {
  const schema = await readSchema("imu-6axis.v1");
  const dir = folder();
  const [path, far] = [join(dir, "tty"), join(dir, "far")];
  const started = performance.now();
  const frame = (seq: number): Uint8Array => {
    const time = Math.round((performance.now() - started) * 1000) >>> 0;
    return encodeFrame(schema, { seq: seq & 0xffff, time, fields: { accel: [0, 0, 8192], gyro: [0, 0, 0] } });
  };
  let seq = 0;
  let socat: ReturnType<typeof spawn> | undefined;
  let line: FileHandle | undefined;
  let stop = (): void => {};
  const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;
  return {
    options: { path, schema: "imu-6axis.v1" },
    async plug() {
      socat = spawn("socat", [`pty,raw,echo=0,link=${far}`, `pty,raw,echo=0,link=${path}`], { stdio: "ignore" });
      await vi.waitFor(() => expect(existsSync(path) && existsSync(far)).toBe(true), { interval: 5, timeout: 5000 });
      const opened = await open(far, O_WRONLY | O_NONBLOCK | O_NOCTTY);
      line = opened;
      stop = ticking(5, () => void opened.write(frame(seq++)).catch(() => {}));
    },
    async unplug() {
      stop();
      const gone = new Promise((resolve) => socat?.once("exit", resolve));
      socat?.kill("SIGKILL");
      await gone;
      await line?.close().catch(() => {});
    },
    freeze: () => void socat?.kill("SIGSTOP"),
    thaw: () => void socat?.kill("SIGCONT"),
    async flood(count) {
      for (let sent = 0; sent < count; sent += 20) {
        const bytes = Buffer.concat(Array.from({ length: 20 }, () => frame(seq++)));
        for (let at = 0; at < bytes.length; ) {
          const written = await line!.write(bytes, at).catch((error: NodeJS.ErrnoException) => {
            if (error.code !== "EAGAIN") throw error;
            return { bytesWritten: 0 };
          });
          at += written.bytesWritten;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
    running: none,
  };
}

/** A camera that sends JPEG pictures over TCP, 25 a second, as multipart; `program` reads it. */
async function picturesOverTcp(program: string, optionsOf: (port: number) => object): Promise<Plug> {
  const port = await freePort();
  const part = Buffer.concat([
    Buffer.from(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`),
    jpeg,
    Buffer.from("\r\n"),
  ]);
  let server: Server | undefined;
  const frozen = false;
  const sockets = new Set<Socket>();
  const running = (): readonly number[] => processesOf(program, String(port));
  return {
    options: optionsOf(port),
    running,
    async plug() {
      const opened = createServer((socket) => {
        sockets.add(socket);
        const stop = ticking(40, () => frozen || socket.write(part));
        socket.on("error", () => {});
        socket.once("close", () => {
          stop();
          sockets.delete(socket);
        });
      });
      server = opened;
      await new Promise<void>((resolve) => opened.listen(port, "127.0.0.1", resolve));
    },
    async unplug() {
      const closed = new Promise((resolve) => server?.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    freeze: () => signalAll(running(), "SIGSTOP"),
    // The frozen one was ended: another took its place.
    thaw: () => {},
    kill: () => signalAll(running(), "SIGKILL"),
    async flood(count) {
      for (const socket of sockets) for (let i = 0; i < count; i++) socket.write(part);
    },
  };
}

export const gstreamerPlug = (): Promise<Plug> =>
  picturesOverTcp("gst-launch-1.0", (port) => ({
    pipeline: `tcpclientsrc host=127.0.0.1 port=${port} do-timestamp=true ! multipartdemux boundary=frame ! image/jpeg`,
    jpeg: true,
  }));

export const ffmpegPlug = (): Promise<Plug> =>
  picturesOverTcp("ffmpeg", (port) => ({
    input: `tcp://127.0.0.1:${port}`,
    format: "mpjpeg",
    // Multipart has no timestamps; the demuxer would invent some.
    inputOptions: { use_wallclock_as_timestamps: "1", probesize: "32", analyzeduration: "0" },
  }));

/** A camera that is asked for pictures. */
export async function httpPlug(): Promise<Plug> {
  const port = await freePort();
  let server: HttpServer | undefined;
  let frozen = false;
  return {
    options: { url: `http://127.0.0.1:${port}/`, every: "20ms", timeout: "60s" },
    running: none,
    async plug() {
      frozen = false;
      const opened = createHttpServer((_, response) => {
        if (!frozen) response.end(jpeg);
      });
      server = opened;
      await new Promise<void>((resolve) => opened.listen(port, "127.0.0.1", resolve));
    },
    async unplug() {
      const closed = new Promise((resolve) => server?.close(resolve));
      server?.closeAllConnections();
      await closed;
    },
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
    },
  };
}

/** A board that publishes to a real mosquitto, 50 times a second. */
export async function mqttPlug(): Promise<Plug> {
  const broker: Mosquitto = await startMosquitto();
  await broker.kill();
  let client: MqttClient | undefined;
  let stop = (): void => {};
  return {
    options: { url: broker.url, topic: "lab/scale" },
    running: none,
    async plug() {
      await broker.start();
      const opened = await mqtt.connectAsync(broker.url, { reconnectPeriod: 0 });
      opened.on("error", () => {});
      client = opened;
      stop = ticking(20, () => void opened.publish("lab/scale", '{"kg": 1}'));
    },
    async unplug() {
      stop();
      client?.end(true);
      await broker.kill();
    },
    freeze: () => broker.freeze(),
    thaw: () => broker.thaw(),
    async flood(count) {
      for (let i = 0; i < count; i++) client?.publish("lab/scale", '{"kg": 2}');
    },
  };
}

/** A tree of files that stands for sysfs, and a fifo with scans at 100 a second. */
export async function iioPlug(): Promise<Plug> {
  const root = folder();
  let fifo: FileHandle | undefined;
  let stop = (): void => {};
  let frozen = false;
  let last = 0n;
  const running = (): readonly number[] => processesOf("cat", root);
  /** A sensor that was asked for more than it could send would still count its samples in time. */
  const scan = (i: number): Buffer => {
    const now = BigInt(Date.now()) * 1_000_000n;
    last = now > last ? now : last + 1n;
    return iioScan(i, last);
  };
  return {
    options: { device: "lsm6ds", sysfs: join(root, "sys"), dev: join(root, "dev"), block: "20ms" },
    running,
    async plug() {
      const opened = await open(makeIioTree(root).fifo, "r+");
      fifo = opened;
      stop = ticking(20, () => {
        if (!frozen) void opened.write(Buffer.concat([scan(0), scan(1)])).catch(() => {});
      });
    },
    async unplug() {
      stop();
      rmSync(join(root, "sys"), { recursive: true });
      rmSync(join(root, "dev"), { recursive: true });
      await fifo?.close();
    },
    freeze: () => {
      frozen = true;
      signalAll(running(), "SIGSTOP");
    },
    thaw: () => {
      frozen = false;
    },
    kill: () => signalAll(running(), "SIGKILL"),
  };
}
