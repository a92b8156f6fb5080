import { join } from "node:path";
import type { Config, SensorConfig } from "../config.js";
import { s } from "../core/time.js";
import { type Bundle, openBundle } from "../encoder/bundle.js";
import { HotBundle } from "../encoder/hot-bundle.js";
import { openRuntime } from "../encoder/open-runtime.js";
import type { Runtime } from "../encoder/runtime.js";
import { LiveRules } from "../rules/live.js";
import type { World } from "../rules/world.js";
import type { SensorConcepts } from "../space/recognise.js";
import { conceptsBySensor } from "./concepts.js";
import { isUnbound, type Span, unknownWindow } from "./unbound.js";
import { worldOf } from "./world.js";

/** What a flow needs beside its sensors: the bundle, the concepts in its space, and the rules. */
export interface Node extends AsyncDisposable {
  readonly name: string;
  readonly bundle: HotBundle;
  readonly runtime: Runtime;
  readonly concepts: ReadonlyMap<string, SensorConcepts>;
  readonly rules: LiveRules;
  /** What the rules may name; the rules read it whenever they are exchanged. */
  readonly names: { world: World };
}

export interface NodeFolders {
  /** Folder of the bundle. */
  readonly bundle: string;
  /** Folder of what survives a restart. */
  readonly state: string;
  /** Where relative paths of a concept's examples start; the working directory unless given. */
  readonly files?: string | undefined;
}

/** Opens the bundle, encodes the concepts and compiles the rules. Throws `BAD_BUNDLE`, `BAD_CONFIG`, `RULE_INVALID`. */
export async function openNode(config: Config, folders: NodeFolders): Promise<Node> {
  const runtime = await openRuntime(config.runtime);
  try {
    return await furnish(config, folders, runtime);
  } catch (error) {
    await runtime[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(config: Config, folders: NodeFolders, runtime: Runtime): Promise<Node> {
  const { threads, providers } = config.runtime;
  const cacheDir = join(folders.state, "texts");
  const session = { providers, threads };
  const bundle = new HotBundle(await openBundle(folders.bundle, runtime, { session, cacheDir }));
  const concepts = await conceptsBySensor(config, bundle, folders);
  const names = { world: worldOf(config) };
  const options = {
    node: config.node,
    lateness: config.lateness,
    idle: config.idle,
    get world() {
      return names.world;
    },
  };
  return {
    name: config.node,
    bundle,
    runtime,
    concepts,
    names,
    rules: new LiveRules(config.rules, options),
    async [Symbol.asyncDispose]() {
      await bundle[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** How a sensor's stream is cut: as configured, else as its encoder was made for. Throws `MODALITY_UNSUPPORTED`. */
export function windowOf(sensor: SensorConfig, bundle: Bundle): Span {
  const usual = isUnbound(sensor, bundle) ? unknownWindow(sensor.modality) : bundle.tower(sensor.modality).window;
  return sensor.window ?? usual ?? { length: s(1), hop: s(1) };
}
