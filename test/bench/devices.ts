/**
 * Twenty devices at once, supervised as a node supervises them: eight IMUs of 100 Hz over pseudo terminals, six cameras and four
 * microphones by GStreamer, a camera by ffmpeg, a snapshot URL. Run: npx tsx test/bench/devices.ts [seconds]
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silent } from "../../src/core/log.js";
import { micros } from "../../src/core/time.js";
import { readSchema } from "../../src/device/firmware/catalog.js";
import { encodeFrame } from "../../src/device/firmware/frame.js";
import { openDevice } from "../../src/device/open.js";
import { supervise } from "../../src/device/supervise.js";

const seconds = Number(process.argv[2] ?? 20);
const clock = { now: () => micros(Date.now() * 1e3) };
const stop = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "twenty-"));
const schema = await readSchema("imu-6axis.v1");
const socats: ReturnType<typeof spawn>[] = [];

async function imu(index: number) {
  const [path, far] = [join(folder, `imu${index}`), join(folder, `far${index}`)];
  socats.push(spawn("socat", [`pty,raw,echo=0,link=${far}`, `pty,raw,echo=0,link=${path}`], { stdio: "ignore" }));
  while (!existsSync(path) || !existsSync(far)) await sleep(10);
  const line = await open(far, "w");
  const begun = performance.now();
  let seq = 0;
  // Writes that run at once overtake one another.
  let last = Promise.resolve();
  const timer = setInterval(() => {
    const due: Uint8Array[] = [];
    // A timer is late now and then; the device is not.
    for (; seq < (performance.now() - begun) / 10; seq++) {
      const time = Math.round(seq * 10_000) >>> 0;
      due.push(encodeFrame(schema, { seq: seq & 0xffff, time, fields: { accel: [0, 0, 8192], gyro: [0, 0, 0] } }));
    }
    last = last
      .then(() => line.write(Buffer.concat(due)))
      .then(
        () => {},
        () => {},
      );
  }, 5);
  stop.signal.addEventListener("abort", () => clearInterval(timer));
  return { name: "serial", rate: 100, options: { path, schema: schema.id } };
}

const jpeg = readFileSync(new URL("../golden/decode/rgb.jpg", import.meta.url));
const server = createServer((_, response) => void response.end(jpeg)).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

const camera = {
  name: "gstreamer",
  rate: 15,
  options: {
    pipeline: "videotestsrc is-live=true ! video/x-raw,width=640,height=480,framerate=15/1",
    width: 224,
    height: 224,
  },
};
const microphone = {
  name: "gstreamer",
  rate: 16_000,
  options: { pipeline: "audiotestsrc is-live=true samplesperbuffer=800", modality: "audio", rate: 16_000, channels: 1 },
};
const film = {
  name: "ffmpeg",
  rate: 10,
  options: {
    format: "lavfi",
    input: "testsrc=size=640x480:rate=10",
    inputOptions: { re: true },
    width: 224,
    height: 224,
  },
};
const kinds = [
  ...(await Promise.all(Array.from({ length: 8 }, (_, i) => imu(i)))),
  ...Array.from({ length: 6 }, () => camera),
  ...Array.from({ length: 4 }, () => microphone),
  film,
  { name: "http-still", rate: 2, options: { url, every: "500ms" } },
];

const sensors = await Promise.all(
  kinds.map(async ({ name, rate, options }, i) => {
    const context = { signal: stop.signal, clock, log: silent, folder: "." };
    const supervised = supervise(await openDevice(name), { sensor: `s${i}`, options }, context);
    let last = 0;
    const running = (async () => {
      for await (const { reading } of supervised) last = clock.now() - reading.time;
    })();
    return { name, rate, supervised, running, delay: () => last };
  }),
);
await sleep(seconds * 1000);
const health = sensors.map(({ supervised }) => supervised.health);
stop.abort();
await Promise.all(sensors.map(({ running }) => running));
for (const socat of socats) socat.kill();
server.close();
server.closeAllConnections();
await sleep(1500);

for (const [i, { name, rate }] of sensors.entries()) {
  const { state, rateHz = 0, readings, lost, dropped, reopened } = health[i]!;
  const off = ((rateHz / rate - 1) * 100).toFixed(1);
  console.log(
    `${name.padEnd(10)} ${state} ${rateHz} Hz of ${rate} (${off} %), ${readings} readings, ${lost + dropped} lost, ${reopened} reopened`,
  );
}
/** User and system time of this process and of all that it has waited for, in ticks of 10 ms (proc(5), stat 14 to 17). */
const ticks = readFileSync("/proc/self/stat", "utf8")
  .replace(/^.*\) /, "")
  .split(" ")
  .slice(11, 15)
  .map(Number);
const [user, system, childUser, childSystem] = ticks as [number, number, number, number];
const own = (user + system) / 100;
const children = (childUser + childSystem) / 100;
console.log(
  `${sensors.length} sensors, ${seconds} s: ${own.toFixed(1)} s CPU here, ${children.toFixed(1)} s in programs: ${((own + children) / seconds).toFixed(2)} of a core`,
);
process.exit(0);
