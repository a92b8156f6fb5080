import { describe, expect, test } from "vitest";
import { sensebind } from "../cli/spawn.js";
import { noMosquitto } from "../support/mosquitto.js";
import { ffmpegPlug, gstreamerPlug, httpPlug, iioPlug, mqttPlug, serialPlug } from "../support/plugs.js";
import { hasTool } from "../support/tools.js";

const sound = new URL("../golden/decode/stereo16.flac", import.meta.url).pathname;

describe("probe and devices", () => {
  test("probe reports rate, gaps, losses, clock and the first readings", async () => {
    const { code, stdout } = await sensebind(
      "probe",
      "files",
      "--set",
      `path=${sound}`,
      "--set",
      "pace=fast",
      "--json",
    );
    expect(code).toBe(0);
    const { first, ...report } = JSON.parse(stdout);
    expect(report).toEqual({
      ...{ device: "files", modality: "audio", readings: 3, rateHz: 44100, gaps: 0, lost: 0, corrupt: 0 },
      clock: { offsetUs: 0, driftPpm: 0, source: "file" },
    });
    expect(first[0]).toMatchObject({ kind: "block", rateHz: 44100, samples: 4410, time: 946684800000000 });
  });

  test.each([
    { name: "serial", make: serialPlug, there: hasTool("socat"), modality: "imu", source: "device" },
    { name: "gstreamer", make: gstreamerPlug, there: hasTool("gst-launch-1.0"), modality: "vision", source: "device" },
    { name: "ffmpeg", make: ffmpegPlug, there: hasTool("ffmpeg"), modality: "vision", source: "device" },
    { name: "http-still", make: httpPlug, there: true, modality: "vision", source: "arrival" },
    { name: "mqtt-in", make: mqttPlug, there: !noMosquitto, modality: "other", source: "arrival" },
    { name: "iio", make: iioPlug, there: hasTool("mkfifo"), modality: "imu", source: "device" },
  ])("probe opens what is plugged in: $name", async ({ name, make, there, modality, source }) => {
    if (!there) return;
    const plug = await make();
    await plug.plug();
    const options = Object.entries(plug.options).flatMap(([key, value]) => [
      ...["--set", `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`],
    ]);
    const { code, stdout, stderr } = await sensebind("probe", name, ...options, "--duration", "2s", "--json");
    await plug.unplug();
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/DEVICE/)]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ device: name, modality, corrupt: 0, clock: { source } });
    // What a board said before anybody listened did not fit into the line.
    if (name !== "serial") expect(report.lost).toBe(0);
    expect(report.readings).toBeGreaterThan(5);
    expect(report.first).toHaveLength(3);
    // Event time is the host's, and the first reading of this test.
    expect(Math.abs(report.first[0].time - Date.now() * 1e3)).toBeLessThan(20_000_000);
  });

  test.skipIf(!hasTool("gst-launch-1.0"))(
    "a pipeline that is not live is held to its pace, one that ends is reported with its end",
    async () => {
      const pipeline = "pipeline=videotestsrc num-buffers=20 ! video/x-raw,width=32,height=24,framerate=20/1";
      const { code, stdout } = await sensebind("probe", "gstreamer", "--set", pipeline, "--json");
      expect(code).toBe(0);
      const { readings, rateHz, ended, note } = JSON.parse(stdout);
      expect([readings, ended]).toEqual([20, "the pipeline came to its end"]);
      expect(Math.abs(rateHz - 20)).toBeLessThan(1);
      expect(note).toMatch(/not live/);
    },
  );

  test("devices lists every adapter by its file name", async () => {
    const { stdout } = await sensebind("devices", "--json");
    const { adapters, found } = JSON.parse(stdout);
    expect(adapters.map(({ name }: { name: string }) => name)).toContain("files");
    expect(Array.isArray(found)).toBe(true);
  });

  test.each([
    [["probe", "flies"], /DEVICE_UNKNOWN.*"flies"\nhint: Did you mean "files"/],
    [["probe", "files", "--set", "pth=x"], /BAD_CONFIG: files has no option "pth"\nhint: Did you mean "path"/],
    [["probe", "files"], /BAD_CONFIG: files: option path is missing/],
    [["probe", "files", "--set", "path=/none"], /FILE_UNREADABLE: \/none does not exist/],
    [["probe", "files", "--set", "path"], /BAD_ARGUMENT.*key=value/],
  ])("%s ends with code 2 and says what to do", async (args, message) => {
    const { code, stderr } = await sensebind(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
