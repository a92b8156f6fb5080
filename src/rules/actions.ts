import type { Alert } from "../core/alert.js";
import type { Log } from "../core/log.js";
import type { Action } from "./schema.js";

/** What actions can reach; each is given by the outside and may fail. */
export interface ActionPorts {
  /** POSTs a JSON body; rejects unless the answer is a success. */
  webhook(url: string, body: string, signal: AbortSignal): Promise<void>;
  /** Publishes below `sensebind/<node>/action/`. */
  publish(
    topic: string,
    message: string,
    options: { readonly retain: boolean; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Writes the newest readings of sensors into the recording. */
  snapshot(sensors: readonly string[], alert: Alert, signal: AbortSignal): Promise<void>;
  /** Starts to bind a sensor to a camera. */
  calibrate(sensor: string, camera: string, signal: AbortSignal): Promise<void>;
}

export interface ActionOptions {
  readonly ports: ActionPorts;
  readonly log: Log;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Actions under way at once; a further one is dropped and counted. */
  readonly capacity?: number;
}

/** How many actions came to which end. */
export interface ActionCounts {
  done: number;
  failed: number;
  /** Not begun, because too many were under way. */
  dropped: number;
}

/**
 * Runs the actions of rules as their alerts come. `run` returns at once: an action that hangs, fails or is too slow is
 * counted and holds nothing back.
 */
export class Actions {
  readonly counts: ActionCounts = { done: 0, failed: 0, dropped: 0 };
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly actionsOf: (rule: string) => readonly Action[],
    private readonly options: ActionOptions,
  ) {}

  /** Starts what the rule of an alert asks for. */
  run(alert: Alert): void {
    for (const action of this.actionsOf(alert.rule)) {
      if (action.on === alert.phase || action.on === "both") this.start(action, alert);
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  private start(action: Action, alert: Alert): void {
    const { ports, log, signal, capacity = 64 } = this.options;
    if (this.underWay.size >= capacity) {
      this.counts.dropped++;
      log.warn({ rule: alert.rule, action: action.do, capacity }, "action dropped, too many are under way");
      return;
    }
    const running = perform(action, alert, { ports, signal }).then(
      () => {
        this.counts.done++;
      },
      (error: unknown) => {
        this.counts.failed++;
        log.warn({ rule: alert.rule, action: action.do, error: String(error) }, "action failed");
      },
    );
    const tracked = running.finally(() => this.underWay.delete(tracked));
    this.underWay.add(tracked);
  }
}

/** Fills in a template: a name that is not known stays as it is. */
export function fill(template: string, alert: Alert): string {
  const { rule, phase, at, id, node, because, values } = alert;
  const fields = { rule, phase, at, id, node, because: because.join(","), values: JSON.stringify(values) };
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(fields, name) ? String(fields[name as keyof typeof fields]) : whole,
  );
}

async function perform(action: Action, alert: Alert, { ports, signal }: Pick<ActionOptions, "ports" | "signal">) {
  switch (action.do) {
    case "webhook":
      return ports.webhook(action.url, JSON.stringify(alert), signal);
    case "publish":
      return ports.publish(action.topic, fill(action.message, alert), { retain: action.retain, signal });
    case "snapshot":
      return ports.snapshot(action.sensors, alert, signal);
    case "calibrate":
      return ports.calibrate(action.sensor, action.with, signal);
    default:
      return action satisfies never;
  }
}
