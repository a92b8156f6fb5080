import type { Config } from "../config.js";
import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import { type ReplayReport, recordedSensors, replayReadings } from "../device/replay.js";
import { detect, type Message } from "../pipeline.js";
import { slideCounters } from "../window/cut.js";
import { fusionsOf } from "./fusions.js";
import type { JudgeOptions } from "./judge.js";
import { type NodeFolders, openNode, windowOf } from "./node.js";
import type { FlowSensor } from "./perceive.js";

export interface ReplayEdge {
  readonly signal: AbortSignal;
  readonly folders: NodeFolders;
  /** Told what each window was to each concept, fired or not. */
  readonly onLooks?: JudgeOptions["onLooks"];
  /** Told for each sensor what its part of the file was like. */
  readonly onReport?: (sensor: string, report: ReplayReport) => void;
}

/**
 * The flow on a recording, as fast as it goes and by event time alone: the same recording gives the same messages. Throws
 * `BAD_RECORDING`, and `BAD_CONFIG` for a sensor that the recording does not have.
 */
export async function* replay(path: string, config: Config, edge: ReplayEdge): AsyncGenerator<Message> {
  await checkSensors(path, config);
  await using node = await openNode(config, edge.folders);
  const sensors = Object.entries(config.sensors).map(([id, sensor]): FlowSensor => {
    const report = (found: ReplayReport): void => edge.onReport?.(id, found);
    return {
      id,
      modality: sensor.modality,
      readings: replayReadings(path, { sensor: id, report }),
      window: windowOf(sensor, node.bundle.forSensor(id)),
      coverage: sensor.coverage,
      counters: slideCounters(),
    };
  });
  const stop = new AbortController();
  edge.signal.addEventListener("abort", () => stop.abort(), { once: true });
  const left = { events: [], alerts: [] };
  const rest = { onLooks: edge.onLooks, backgrounds: new Map(), firstSeq: 0, clock: undefined, live: undefined, left };
  const fusions = fusionsOf(config, node.bundle);
  yield* detect({ ...node, fusions, node: config.node, sensors, ...rest }, stop);
}

async function checkSensors(path: string, { sensors }: Config): Promise<void> {
  const recorded = await recordedSensors(path);
  for (const [sensor, { modality }] of Object.entries(sensors)) {
    const found = recorded[sensor];
    if (!found) {
      const near = nearest(sensor, Object.keys(recorded));
      throw new SenseError("BAD_CONFIG", `sensors.${sensor}: the recording ${path} has no such sensor`, {
        hint: near ? `Did you mean "${near}"?` : `It has ${Object.keys(recorded).join(", ")}.`,
      });
    }
    if (found.modality !== modality) {
      throw new SenseError("BAD_CONFIG", `sensors.${sensor} is ${modality}, but was recorded as ${found.modality}`, {
        hint: `Write modality: ${found.modality}.`,
      });
    }
  }
}
