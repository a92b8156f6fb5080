import { access, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { recordKitchen } from "../../examples/gas-sensor/recording.js";
import { killedAt } from "./killed-at.js";
import { jsonLines, sensebind } from "./spawn.js";

let dir: string;
let args: string[];
const out = (): string => join(dir, "gas");
const vectors = (): Promise<Buffer> => readFile(`${out()}.calibrating/vision.vectors`);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sensebind-killed-"));
  const recording = join(dir, "kitchen.mcap");
  await recordKitchen(recording, { minutes: 4, seed: 1 });
  const learning = ["--tolerance", "1100ms", "--scenes", "5", "--steps", "80"];
  args = ["calibrate", "gas", "--with", "camera", "--recording", recording, "--out", out(), ...learning];
}, 60_000);

test("killed -9 while it encodes and again while it learns, the same command goes on from there and ends with a bundle", async () => {
  await killedAt(/^camera is looked at: 50 %/, args);
  const half = await vectors();

  // Length of the header, and of one vector with its checksum.
  const [header, record] = [40, 24 + 4 * 512];
  const whole = Math.floor((half.length - header) / record);
  const said = await killedAt(/^step 8 of 80/, args);
  expect(said).toContain(`${whole} vectors of vision are there from before`);
  const all = await vectors();
  expect(all.length).toBeGreaterThan(1.5 * half.length);
  const kept = header + whole * record;
  expect(all.subarray(0, kept).equals(half.subarray(0, kept))).toBe(true);
  await expect(access(out())).rejects.toThrow();

  const { code, stdout, stderr } = await sensebind(...args, "--json");
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/learn from, \d+ held out\nstep 16 of 80/);
  const [report] = jsonLines(stdout) as { recall: Record<"after" | "chance", { at5: number }> }[];
  expect(report!.recall.after.at5).toBeGreaterThan(2 * report!.recall.chance.at5);
  await expect(access(`${out()}.calibrating`)).rejects.toThrow();
  expect((await sensebind("models", "verify", out())).code).toBe(0);
}, 120_000);
