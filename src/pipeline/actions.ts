import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Config } from "../config.js";
import type { Alert } from "../core/alert.js";
import { SenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import { nearest } from "../core/suggest.js";
import { recordReadings } from "../device/record.js";
import type { Publisher } from "../publish/publisher.js";
import { type ActionPorts, Actions } from "../rules/actions.js";
import type { LiveRules } from "../rules/live.js";
import type { Action } from "../rules/schema.js";
import type { Calibrations } from "./calibrations.js";
import type { Newest } from "./newest.js";

export interface ActionParts {
  readonly config: Pick<Config, "node" | "sensors">;
  readonly publisher: Publisher;
  readonly newest: Newest;
  readonly calibrations: Calibrations | undefined;
  /** Snapshots go into its folder `snapshots`, one recording an alert. */
  readonly state: string;
  readonly log: Log;
}

/** Time that an action may take, and that those under way have when the node stops, in ms. */
const patience = { webhook: 10_000, leaving: 3_000 } as const;

/** The actions of a running node; disposing waits for those under way, but not long. */
export interface NodeActions extends AsyncDisposable {
  readonly counts: Actions["counts"];
  run(alert: Alert): void;
}

export function openActions(rules: LiveRules, parts: ActionParts): NodeActions {
  const stop = new AbortController();
  const options = { ports: actionPorts(parts), log: parts.log, signal: stop.signal };
  const actions = new Actions((rule) => rules.actionsOf(rule), options);
  return {
    counts: actions.counts,
    run: (alert) => actions.run(alert),
    async [Symbol.asyncDispose]() {
      const late = new AbortController();
      const elapsed = wait(patience.leaving, undefined, { signal: late.signal }).catch(() => {});
      await Promise.race([actions.settled(), elapsed]);
      late.abort();
      stop.abort();
    },
  };
}

/** Throws `BAD_CONFIG` for a rule that asks for what this node cannot do. */
export function refuseActions({ rules, sensors }: Pick<Config, "rules" | "sensors">, calibrates: boolean): void {
  for (const [id, { actions = [] }] of Object.entries(rules)) {
    for (const action of actions) {
      if (action.do === "calibrate" && !calibrates) {
        throw new SenseError("BAD_CONFIG", `rules.${id}: a running node cannot calibrate`, {
          hint: "Let the rule call a webhook or publish a message, and start `sensebind calibrate` from there.",
        });
      }
      const absent = sensorsOf(action).find((sensor) => !Object.hasOwn(sensors, sensor));
      if (absent === undefined) continue;
      const near = nearest(absent, Object.keys(sensors));
      throw new SenseError("BAD_CONFIG", `rules.${id}: no sensor is called "${absent}"`, {
        hint: near ? `Did you mean "${near}"?` : `Sensors: ${Object.keys(sensors).join(", ")}.`,
      });
    }
  }
}

function sensorsOf(action: Action): readonly string[] {
  if (action.do === "snapshot") return action.sensors;
  return action.do === "calibrate" ? [action.sensor, action.with] : [];
}

function actionPorts({ config, publisher, newest, state, calibrations }: ActionParts): ActionPorts {
  return {
    async webhook(url, body, signal) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(patience.webhook)]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
    },
    async publish(topic, message, { retain }) {
      publisher.say(topic, message, { retain });
    },
    async snapshot(sensors, alert) {
      const readings = sensors.map((sensor) => newest.of(sensor)).filter((reading) => reading !== undefined);
      if (readings.length === 0) throw new Error(`${sensors.join(", ")} gave no reading yet`);
      const folder = join(state, "snapshots");
      await mkdir(folder, { recursive: true });
      const about = readings.map(({ sensor }) => {
        const { modality, device } = config.sensors[sensor]!;
        return [sensor, { modality, device }] as const;
      });
      const path = join(folder, `${alert.rule}-${alert.at}-${alert.phase}.mcap`);
      await using recorder = await recordReadings(path, { node: config.node, sensors: Object.fromEntries(about) });
      for (const reading of readings) await recorder.write(reading);
    },
    async calibrate(sensor, camera, signal) {
      if (calibrations === undefined) throw new Error(`this node cannot calibrate ${sensor}`);
      await calibrations.start({ sensor, with: camera }, signal);
    },
  };
}
