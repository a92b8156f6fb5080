import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { allDevices, openDevice } from "../../src/device/open.js";
import { parseOptions } from "../../src/device/options.js";
import { sensebind } from "../cli/spawn.js";
import { hasTool } from "../support/tools.js";

const folder = new URL("../../docs/devices/", import.meta.url);
const devices = await allDevices();
const page = (name: string): string => readFileSync(new URL(`${name}.md`, folder), "utf8");

/** The words of a line as a shell splits it. */
const words = (line: string): string[] =>
  [...line.replace(/\s+#.*$/, "").matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );

const commands = readdirSync(folder)
  .filter((file) => file !== "README.md")
  .flatMap((file) => page(file.replace(".md", "")).match(/^sensebind probe .*$/gm) ?? []);

test("every adapter has its page, and every page its adapter", () => {
  const pages = readdirSync(folder).map((file) => file.replace(".md", ""));
  expect(pages.filter((name) => name !== "README").sort()).toEqual(devices.map(({ name }) => name).sort());
  for (const { name } of devices) expect(page("README")).toContain(`[${name}](${name}.md)`);
});

describe.each(devices)("$name", (device) => {
  test("its page names every option it has, and none that it has not", () => {
    const { shape } = device.options as unknown as { shape: Record<string, unknown> };
    const cells = page(device.name).match(/^\| `.*?\|/gm) ?? [];
    const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, option]) => option!));
    expect(named.sort()).toEqual(Object.keys(shape).sort());
  });

  test("its page says whether it ever met hardware", () => {
    expect(device.name === "files" || device.name === "replay" || /[Nn]ever/.test(page(device.name))).toBe(true);
  });
});

test.each(commands)("the options of this command are those of the adapter: %s", async (command) => {
  const [, , name, ...rest] = words(command);
  const settings = rest.filter((_, i) => rest[i - 1] === "--set").map((setting) => setting.split(/=(.*)/s));
  const options = Object.fromEntries(
    settings.map(([key, value]) => [key, /^[[{]/.test(value!) ? JSON.parse(value!) : value]),
  );
  expect(parseOptions(await openDevice(name!), options)).toBeDefined();
});

const anywhere = commands.filter((command) => command.includes("# runs anywhere"));
test.each(anywhere)("this command runs: %s", async (command) => {
  const tool = /with (\w+)$/.exec(command)?.[1];
  if (tool && !hasTool(tool === "gstreamer" ? "gst-launch-1.0" : tool)) return;
  const [, ...args] = words(command);
  const { code, stdout } = await sensebind(...args, "--duration", "3s", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout).readings).toBeGreaterThan(0);
});
