import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  lookAtBoard,
  lookAtClock,
  lookAtDisk,
  lookAtMemory,
  lookAtPower,
  type Machine,
} from "../../src/cli/doctor/board.js";
import { examine, ok } from "../../src/cli/doctor/finding.js";
import { lookAtBroker, lookAtOutbox } from "../../src/cli/doctor/wire.js";
import { ms } from "../../src/core/time.js";
import { letter, open, scratch } from "../publish/outbox/letters.js";
import { adversary } from "../support/adversary.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "../support/mosquitto.js";
import { sensebind } from "./spawn.js";

/** A machine whose kernel has these files and whose programs say these texts. */
async function machine(
  files: Readonly<Record<string, string>>,
  says: Readonly<Record<string, string>> = {},
): Promise<Machine> {
  const root = await mkdtemp(join(tmpdir(), "sensebind-machine-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { root, ask: async (program) => says[program] };
}
const cpufreq = "sys/devices/system/cpu/cpu0/cpufreq";
const look = (within = ms(5000)) => ({ environment: {}, signal: AbortSignal.timeout(within / 1e3) });

describe("the machine", () => {
  test("a Jetson is known by its device tree and its L4T release, with its power mode", async () => {
    const jetson = await machine(
      {
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
        "etc/nv_tegra_release": "# R36 (release), REVISION: 3.0, GCID: 36923193, BOARD: generic",
      },
      { nvpmodel: "NV Power Mode: 15W\n0\n" },
    );
    expect((await lookAtBoard(jetson)).message).toMatch(
      /Orin Nano Developer Kit, .*L4T R36 \(release\), REVISION: 3.0/,
    );
    expect(await lookAtPower(jetson)).toMatchObject({ state: "ok", facts: { mode: "15W" } });
  });

  test.each([
    ["an undervolted Raspberry Pi", {}, { vcgencmd: "throttled=0x50001\n" }, /supply voltage/],
    ["a board that is too hot", { "sys/class/thermal/thermal_zone0/temp": "91500\n" }, {}, /91.5 °C/],
    ["a governor that keeps the cores slow", { [`${cpufreq}/scaling_governor`]: "powersave\n" }, {}, /powersave/],
  ])("%s is a warning that says what to do", async (_name, files, says, message) => {
    const seen = await lookAtPower(await machine(files as Record<string, string>, says));
    expect(seen).toMatchObject({ state: "warning", message: expect.stringMatching(message), hint: expect.any(String) });
  });

  test("powersave of a driver that governs itself, and a Pi that was throttled once but is not now, are fine", async () => {
    const files = { [`${cpufreq}/scaling_governor`]: "powersave", [`${cpufreq}/scaling_driver`]: "intel_pstate" };
    expect((await lookAtPower(await machine(files))).state).toBe("ok");
    expect((await lookAtPower(await machine({}, { vcgencmd: "throttled=0x50000" }))).state).toBe("ok");
  });

  test("a bundle that is larger than the free memory, a clock in 1970 and a disk without room are warnings", async () => {
    const small = await machine({ "proc/meminfo": "MemTotal: 900000 kB\nMemAvailable:  100000 kB\n" });
    expect((await lookAtMemory(small, 2e8)).state).toBe("warning");
    expect((await lookAtMemory(small, 5e7)).state).toBe("ok");
    expect(lookAtClock(new Date(0)).state).toBe("warning");
    expect((await lookAtDisk(join(tmpdir(), "not", "there"), 1e18)).state).toBe("warning");
  });

  test("a look that never ends is a failure after its time, and one that throws is one at once", async () => {
    const [hung] = await examine({ subject: "x", within: ms(20), look: () => new Promise(() => {}) });
    expect(hung).toMatchObject({ subject: "x", state: "failure", message: "no answer within 0.02 s" });
    const [threw] = await examine({ subject: "x", look: () => Promise.reject(new TypeError("oh")) });
    expect(threw).toMatchObject({ state: "failure", code: "INTERNAL" });
    expect(await examine({ subject: "x", look: async () => ok("fine") })).toEqual([
      { subject: "x", state: "ok", message: "fine" },
    ]);
  });
});

describe("the broker", () => {
  const config = { node: "barn", commands: true };

  test("the embedded one is reached where none is configured", async () => {
    expect(await lookAtBroker({ ...config, broker: undefined }, look())).toMatchObject({
      state: "ok",
      facts: { version: "3.1.1" },
    });
  });

  test("one that is not there, refuses, or never answers is told in words", async () => {
    const at = (url: string, within = ms(5000)) => lookAtBroker({ ...config, broker: { url } }, look(within));
    await expect(at("mqtt://127.0.0.1:1")).rejects.toMatchObject({ message: expect.stringContaining("ECONNREFUSED") });
    await using refusing = await adversary({ connack: () => ({ reasonCode: 0x87 }) });
    await expect(at(refusing.url)).rejects.toMatchObject({ message: expect.stringMatching(/not authorized/i) });
    await using mute = await adversary({ connack: () => undefined });
    await expect(at(mute.url, ms(100))).rejects.toMatchObject({ code: "BROKER_UNREACHABLE" });
  });

  test("one that never acknowledges is not waited for longer than the look may take", async () => {
    await using deaf = await adversary({ publish: () => {} });
    const seen = await lookAtBroker({ ...config, broker: { url: deaf.url } }, look(ms(150)));
    expect(seen).toMatchObject({
      state: "warning",
      message: expect.stringContaining("to publish below sensebind/barn"),
    });
  });

  test("small packets are told", async () => {
    await using tight = await adversary({ connack: () => ({ properties: { maximumPacketSize: 256 } }) });
    const seen = await lookAtBroker({ ...config, broker: { url: tight.url } }, look());
    expect(seen).toMatchObject({ state: "warning", message: expect.stringContaining("256 bytes") });
  });

  test.skipIf(noMosquitto)(`rights that the user lacks are told, with the topic${mosquittoNote}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "sensebind-acl-"));
    await writeFile(join(folder, "acl"), "topic write other/#\n");
    await using broker = await startMosquitto({
      config: ["listener $PORT 127.0.0.1", "allow_anonymous true", `acl_file ${join(folder, "acl")}`],
    });
    const seen = await lookAtBroker({ ...config, broker: { url: broker.url } }, look());
    expect(seen.state).toBe("warning");
    expect(seen.message).toMatch(/to publish below sensebind\/barn: .*not authorized/i);
  });
});

describe("the outbox", () => {
  test("what waits, what was given up, and a file that the disk has changed are told without touching it", async () => {
    await using folder = await scratch();
    expect((await lookAtOutbox(folder.path)).message).toContain("nothing has waited");
    const outbox = await open(folder.path, { maxBytes: 2 ** 16 });
    for (let i = 0; i < 40; i++) {
      outbox.append(letter(i, "update", 1000));
      await outbox.flush();
    }
    const { pending } = outbox;
    expect(await lookAtOutbox(folder.path)).toMatchObject({ state: "ok", facts: { waiting: pending, damaged: [] } });
    for (let i = 40; i < 90; i++) {
      outbox.append(letter(i, "update", 1000));
      await outbox.flush();
    }
    const { losses } = outbox;
    expect(losses.updates).toBeGreaterThan(0);
    await outbox[Symbol.asyncDispose]();
    const seen = await lookAtOutbox(folder.path);
    expect(seen).toMatchObject({ state: "warning", facts: { losses, damaged: [] } });

    const oldest = join(folder.path, (await readdir(folder.path)).filter((name) => name.endsWith(".log")).sort()[0]!);
    const bytes = await readFile(oldest);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(oldest, bytes);
    expect(await lookAtOutbox(folder.path)).toMatchObject({ state: "warning", facts: { damaged: [oldest] } });
  });
});

describe("the command", () => {
  test("exits with 0 on a machine where all is well, as one JSON document with every subject", async () => {
    const { code, stdout } = await sensebind("doctor", "--json");
    const { findings, ...rest } = JSON.parse(stdout) as { findings: { subject: string; state: string }[] };
    expect(rest).toEqual({ ok: true });
    expect(code).toBe(0);
    expect(findings.map(({ subject }) => subject)).toEqual([
      ...["configuration", "board", "power", "clock", "devices"],
      ...["memory", "disk", "runtime", "bundle", "broker", "outbox"],
    ]);
  }, 60_000);

  test("exits with 1 where the broker is away, 2 where the configuration is none, and says what to do", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sensebind-doctor-"));
    const away = join(folder, "away.yaml");
    await writeFile(away, "broker: mqtt://127.0.0.1:1\nsensors: {}\n");
    const first = await sensebind("doctor", away);
    expect(first.stdout).toMatch(/failure +broker +BROKER_UNREACHABLE: mqtt:\/\/127.0.0.1:1.*\n +hint: /);
    expect(first.code).toBe(1);
    const bad = join(folder, "bad.yaml");
    await writeFile(bad, "nodes: a\n");
    const second = await sensebind("doctor", bad);
    expect(second.stdout).toMatch(/failure +configuration +BAD_CONFIG: .*bad.yaml:1:1/);
    expect(second.stdout).toMatch(/ok +board/);
    expect(second.code).toBe(2);
    const cameraless = join(folder, "sensor.yaml");
    await writeFile(cameraless, "sensors: {cam: {device: filez, modality: vision}}\n");
    const third = await sensebind("doctor", cameraless);
    expect([third.code, third.stdout]).toEqual([2, expect.stringContaining('Did you mean "files"?')]);
  }, 60_000);
});
