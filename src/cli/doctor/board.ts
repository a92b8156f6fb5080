import { execFile } from "node:child_process";
import { access, constants, readdir, readFile, statfs } from "node:fs/promises";
import { arch, availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { SenseError } from "../../core/errors.js";
import { ok, type Seen, warning } from "./finding.js";

/** Where the kernel's files are, and how a program is asked; a test gives others. */
export interface Machine {
  readonly root: string;
  /** What a program prints; undefined where it is not installed or fails. */
  readonly ask: (program: string, ...args: string[]) => Promise<string | undefined>;
}

export const thisMachine: Machine = {
  root: "/",
  ask: async (program, ...args) => {
    const asked = promisify(execFile)(program, args, { timeout: 3000 });
    return await asked.then(({ stdout }) => stdout).catch(() => undefined);
  },
};

const text = async ({ root }: Machine, path: string): Promise<string | undefined> =>
  (await readFile(join(root, path), "utf8").catch(() => undefined))?.replaceAll("\0", "").trim();

/** What the computer is: a board names itself in its device tree, a PC in its firmware's tables. */
export async function lookAtBoard(machine: Machine): Promise<Seen> {
  const model =
    (await text(machine, "proc/device-tree/model")) ??
    (await text(machine, "sys/class/dmi/id/product_name")) ??
    "a computer that does not say its model";
  const release = (await text(machine, "etc/nv_tegra_release"))?.split(",").slice(0, 2).join(",").replace(/^# /, "");
  const cpu = cpus()[0]?.model ?? "";
  const facts = { model, arch: arch(), cores: availableParallelism(), cpu, node: process.versions.node };
  const jetson = release === undefined ? "" : `, L4T ${release}`;
  return ok(`${model}, ${facts.cores} cores, ${facts.arch}${jetson}, Node ${facts.node}`, {
    ...facts,
    ...(release === undefined ? {} : { l4t: release }),
  });
}

/** Bits of `vcgencmd get_throttled` that say what is so now (Raspberry Pi documentation, vcgencmd). */
const throttled = [
  [1, "the supply voltage is too low"],
  [2, "the frequency is capped"],
  [4, "the cores are throttled"],
  [8, "the soft temperature limit is reached"],
] as const;

/** Kernel drivers whose governor "powersave" goes as fast as the load asks (kernel documentation, intel_pstate, amd-pstate). */
const selfGoverned = new Set(["intel_pstate", "amd-pstate-epp"]);

/** Throttling starts at 85 to 97 °C on the boards that this is made for. */
const hot = 85;

export async function lookAtPower(machine: Machine): Promise<Seen> {
  const frequency = "sys/devices/system/cpu/cpu0/cpufreq";
  const governor = await text(machine, `${frequency}/scaling_governor`);
  const driver = await text(machine, `${frequency}/scaling_driver`);
  const mode = /NV Power Mode: *(\S+)/.exec((await machine.ask("nvpmodel", "-q")) ?? "")?.[1];
  const bits = Number(
    /throttled=(0x[0-9a-f]+)/i.exec((await machine.ask("vcgencmd", "get_throttled")) ?? "")?.[1] ?? 0,
  );
  const celsius = await hottest(machine);
  const facts = defined({ governor, mode, celsius });
  const said = Object.entries(facts).map(([name, value]) => (name === "celsius" ? `${value} °C` : `${name} ${value}`));
  const why = throttled.flatMap(([bit, what]) => (bits & bit ? [what] : []));
  if (why.length > 0) return warning(why.join(", "), "Use a stronger power supply or better cooling.", facts);
  if (celsius !== undefined && celsius >= hot) {
    return warning(`the board is at ${celsius} °C`, "Cool it: it slows down when it is too hot.", facts);
  }
  if (governor === "powersave" && !selfGoverned.has(driver ?? "")) {
    return warning(
      'the governor "powersave" keeps the cores at their slowest',
      `Write schedutil or performance to /${frequency}/scaling_governor.`,
      facts,
    );
  }
  return ok(said.join(", ") || "nothing here tells the power mode", facts);
}

async function hottest(machine: Machine): Promise<number | undefined> {
  const zones = (await readdir(join(machine.root, "sys/class/thermal")).catch(() => [])).filter((name) =>
    name.startsWith("thermal_zone"),
  );
  const read = await Promise.all(zones.map((zone) => text(machine, `sys/class/thermal/${zone}/temp`)));
  const known = read.map((value) => Number(value) / 1e3).filter((value) => value > 0);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** The models' files alone must fit into the memory that is free. */
export async function lookAtMemory(machine: Machine, needed: number): Promise<Seen> {
  const kilobytes = /^MemAvailable: *(\d+) kB/m.exec((await text(machine, "proc/meminfo")) ?? "")?.[1];
  const host = kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  const limit = process.constrainedMemory?.() ?? 0;
  const available = limit > 0 && limit < totalmem() ? Math.min(host, limit - process.memoryUsage.rss()) : host;
  const facts = { totalBytes: totalmem(), availableBytes: available, bundleBytes: needed };
  const sentence = `${megabytes(available)} of ${megabytes(totalmem())} are free; the bundle's files have ${megabytes(needed)}`;
  if (available > needed) return ok(sentence, facts);
  return warning(sentence, "Choose a smaller bundle, or a quantised one (`sensebind models quantize`).", facts);
}

/** The folder of what must survive a restart: it must be writable, with room for what waits for the broker. */
export async function lookAtDisk(folder: string, wanted: number): Promise<Seen> {
  let existing = folder;
  for (; !(await exists(existing)) && existing !== dirname(existing); existing = dirname(existing));
  await access(existing, constants.W_OK).catch((cause: unknown) => {
    throw new SenseError("FILE_UNWRITABLE", `${existing} cannot be written`, {
      hint: "Give this user the right to write there, or set `state` to another folder.",
      cause,
    });
  });
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const sentence = `${megabytes(free)} are free for ${folder}`;
  if (free >= wanted) return ok(sentence, { folder, freeBytes: free });
  return warning(
    `${sentence}; what waits for the broker may take ${megabytes(wanted)}`,
    "Make room there, or set `state` to another disk.",
    {
      folder,
      freeBytes: free,
    },
  );
}

/** The year in which the first version of the contract was written: an earlier date is a clock that was never set. */
const firstYear = 2025;

/** Event times are the host's: a board without a battery begins in 1970 until it has heard the time. */
export function lookAtClock(now: Date): Seen {
  if (now.getUTCFullYear() >= firstYear) return ok(`it is ${now.toISOString()}`);
  return warning(
    `the clock says ${now.toISOString()}`,
    "Let NTP set it (chrony, systemd-timesyncd): events carry its time.",
  );
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

const defined = <T extends Record<string, unknown>>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
