import type { Command } from "commander";
import type { FoundDevice } from "../../device/define.js";
import { allDevices } from "../../device/open.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";

export function register(program: Command): void {
  program
    .command("devices")
    .description("the device adapters, and what is plugged into this machine")
    .addOption(jsonOption())
    .action(devices);
}

async function devices({ json }: { readonly json?: boolean }): Promise<void> {
  const adapters = await allDevices();
  const found = await Promise.all(
    adapters.map(async ({ name, discover }) =>
      (await discover?.().catch(nothing))?.map((one) => ({ device: name, ...one })),
    ),
  );
  const plugged = found.flatMap((list) => list ?? []);
  if (json) {
    const list = adapters.map(({ name, title, modalities, delivery }) => ({ name, title, modalities, delivery }));
    return printJson({ adapters: list, found: plugged });
  }
  for (const { name, title, modalities } of adapters)
    printLine(`${name.padEnd(12)} ${title} (${modalities.join(", ")})`);
  printLine(plugged.length === 0 ? "\nNothing that the adapters can find is plugged in." : "\nPlugged in:");
  for (const { device, title, options } of plugged) {
    const set = Object.entries(options).map(([key, value]) => `--set ${key}=${value}`);
    printLine(`  ${title}: sensebind probe ${device} ${set.join(" ")}`);
  }
}

/** A machine without the tool or the bus that an adapter looks at has none of its devices. */
const nothing = (): readonly FoundDevice[] => [];
