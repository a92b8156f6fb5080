import { describe, expect, test } from "vitest";
import { sensebind } from "../cli/spawn.js";

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
