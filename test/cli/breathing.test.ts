import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { breathing } from "../../src/cli/calibrate/board.js";

/** A board of this temperature and supply. */
async function board(degrees: number, supply: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "sensebind-board-"));
  await mkdir(join(root, "class/thermal/thermal_zone0"), { recursive: true });
  await mkdir(join(root, "class/power_supply/BAT0"), { recursive: true });
  await writeFile(join(root, "class/thermal/thermal_zone0/temp"), `${degrees * 1000}\n`);
  await writeFile(join(root, "class/power_supply/BAT0/status"), `${supply}\n`);
  return root;
}

/** Whether training goes on at once; a waiting one is ended by its signal. */
async function goesOn(root: string): Promise<boolean> {
  const stop = new AbortController();
  const breath = breathing({ share: 1, signal: stop.signal, now: () => 0, root })().then(
    () => true,
    () => false,
  );
  // Reading four small files takes a few turns of the event loop; waiting takes seconds.
  const late = (async () => {
    for (let i = 0; i < 2000; i++) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
  })();
  const went = await breath;
  await late;
  return went;
}

test.each([
  [60, "Charging", true],
  [60, "Full", true],
  [91, "Full", false],
  [60, "Discharging", false],
])("at %i °C and %s, training goes on: %s", async (degrees, supply, expected) => {
  expect(await goesOn(await board(degrees, supply))).toBe(expected);
});

test("on a board that tells nothing, it goes on", async () => {
  expect(await goesOn(join(tmpdir(), "no-such-sysfs"))).toBe(true);
});
