import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import { BrokerOptions } from "../../publish/broker.js";
import { loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { packageFile } from "../package.js";
import { type RunFlags, runLoaded } from "./run.js";

interface Flags extends RunFlags {
  readonly broker?: string;
}

export function register(program: Command): void {
  program
    .command("demo")
    .description("the main job on a shipped recording, with an embedded broker and the embedded bundle")
    .option("--duration <d>", "stop after this long; the recording's own length unless given")
    .option("--broker <url>", "publish to this broker instead of an embedded one")
    .addOption(jsonOption())
    .action((flags: Flags, command: Command) => demo({ ...command.optsWithGlobals<Flags>(), ...flags }));
}

async function demo({ broker, ...flags }: Flags): Promise<void> {
  const loaded = await loadConfig(packageFile("examples", "demo", "demo.yaml"));
  await runLoaded(
    { ...loaded, config: { ...loaded.config, ...(broker ? { broker: parseBroker(broker) } : {}) } },
    flags,
  );
}

function parseBroker(url: string): BrokerOptions {
  const parsed = BrokerOptions.safeParse({ url });
  if (parsed.success) return parsed.data;
  throw new SenseError("BAD_ARGUMENT", `--broker: ${parsed.error.issues[0]!.message}`, {
    hint: "Write it like mqtt://localhost:1883.",
  });
}
