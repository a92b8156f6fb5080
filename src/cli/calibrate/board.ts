import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Training waits above this, and goes on once the board is 5 degrees cooler; in °C. */
const hot = 80;
/** How long it waits before it looks again, ms. */
const wait = 5_000;

export interface BreatheOptions {
  /** Share of one core that training takes, 0..1. */
  readonly share: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Folders of the kernel's facts; /sys unless given. */
  readonly root?: string;
}

/**
 * What training awaits between runs of a few steps: pauses so long that it takes its share of a core, and waits while the board is
 * hot or runs on battery (Linux sysfs: thermal_zone*\/temp in thousandths of °C, power_supply/*\/status).
 */
export function breathing({ share, signal, now, root = "/sys" }: BreatheOptions): () => Promise<void> {
  let began = now();
  let wasHot = false;
  return async () => {
    const took = now() - began;
    await pause((took * (1 - share)) / share, undefined, { signal });
    for (;;) {
      const degrees = await hottest(root);
      wasHot = degrees > (wasHot ? hot - 5 : hot);
      if (!wasHot && !(await onBattery(root))) break;
      await pause(wait, undefined, { signal });
    }
    began = now();
  };
}

async function hottest(root: string): Promise<number> {
  const zones = await entries(join(root, "class/thermal"), "thermal_zone");
  const read = await Promise.all(zones.map((zone) => text(join(zone, "temp"))));
  return Math.max(0, ...read.map((value) => Number(value) / 1e3).filter(Number.isFinite));
}

async function onBattery(root: string): Promise<boolean> {
  const supplies = await entries(join(root, "class/power_supply"), "");
  const states = await Promise.all(supplies.map((supply) => text(join(supply, "status"))));
  return states.some((state) => state === "Discharging");
}

const entries = async (folder: string, prefix: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix)).map((name) => join(folder, name));

const text = async (path: string): Promise<string> => (await readFile(path, "utf8").catch(() => "")).trim();
