import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import type { Device } from "./define.js";

/** The adapters that come with the package; beside src/ in the sources as in the build. */
const shipped = new URL("../../devices/", import.meta.url);

/** Names of the adapters in devices/: their file names, sorted. Nothing else lists them. */
export async function deviceNames(): Promise<readonly string[]> {
  const files = await readdir(shipped).catch(() => [] as string[]);
  const names = files.filter((file) => /\.[jt]s$/.test(file) && !file.endsWith(".d.ts"));
  return [...new Set(names.map((file) => file.replace(/\.[jt]s$/, "")))].sort();
}

/**
 * The adapter of that name, or in that file: `./my-lidar.js`, from `folder`, has a `defineDevice(…)` as its default export.
 * Throws `DEVICE_UNKNOWN`.
 */
export async function openDevice(name: string, { folder = "." }: { folder?: string } = {}): Promise<Device> {
  const own = /^[./]/.test(name);
  const names = await deviceNames();
  if (!own && !names.includes(name)) {
    const near = nearest(name, names);
    throw new SenseError("DEVICE_UNKNOWN", `no device adapter is called "${name}"`, {
      hint: near
        ? `Did you mean "${near}"?`
        : `There are: ${names.join(", ")}; or give the path of your own: ./mine.js`,
    });
  }
  return own ? load(pathToFileURL(resolve(folder, name)).href, name) : loadShipped(name);
}

/** Every adapter that comes with the package, by name. */
export async function allDevices(): Promise<readonly Device[]> {
  return Promise.all((await deviceNames()).map(loadShipped));
}

async function loadShipped(name: string): Promise<Device> {
  const files = await readdir(shipped);
  const file = files.includes(`${name}.js`) ? `${name}.js` : `${name}.ts`;
  return load(new URL(file, shipped).href, name);
}

async function load(url: string, name: string): Promise<Device> {
  const loaded = (await import(url).catch((cause: unknown) => {
    throw new SenseError("DEVICE_UNKNOWN", `the device adapter ${name} cannot be loaded`, {
      hint: "Its file must exist and be an ES module that Node can run.",
      cause,
    });
  })) as { default?: Partial<Device> };
  const device = loaded.default;
  if (typeof device?.readings !== "function" || device.options === undefined) {
    throw new SenseError("DEVICE_UNKNOWN", `${name} does not export a device`, {
      hint: "Write: export default defineDevice({ … }), from sensebind/device.",
    });
  }
  return device as Device;
}
