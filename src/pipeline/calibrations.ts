import type { Config } from "../config.js";
import type { Embedding } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import { nearest } from "../core/suggest.js";
import type { Clock, Duration } from "../core/time.js";
import type { WindowQuality } from "../core/window.js";
import type { Bundle } from "../encoder/bundle.js";
import type { CommandHandlers } from "../publish/commands.js";
import type { Calibration } from "../publish/messages.js";
import type { Cut } from "../window/cut.js";
import type { Node, NodeFolders } from "./node.js";

export interface CalibrationRequest {
  readonly sensor: string;
  /** The camera whose space the sensor is bound to. */
  readonly with: string;
  /** How long to collect; as long as it takes unless given. */
  readonly duration?: Duration | undefined;
}

/** Binds sensors to a camera beside a running flow; what does it comes from outside, for the flow knows no training. */
export interface Calibrations extends AsyncDisposable {
  /** Resolves when it has begun; how it goes on is told. Throws what is wrong with the request. */
  start(request: CalibrationRequest, signal: AbortSignal): Promise<void>;
  stop(sensor: string): Promise<void>;
  /** Goes back to what the sensor had before its last calibration. */
  undo(sensor: string): Promise<void>;
  /** By sensor. */
  status(): Readonly<Record<string, Calibration>>;
  /** Every embedding of the flow comes by, and every window of a sensor that is not bound yet; both return at once. */
  embedding(embedding: Embedding, quality?: WindowQuality): void;
  window(cut: Cut): void;
}

export interface CalibrationParts {
  readonly config: Config;
  readonly node: Node;
  /** The concepts as they are now, and how what was learned comes into the running flow. */
  readonly settings: {
    readonly concepts: Config["concepts"];
    exchange(next: Bundle, sensor: string): Promise<void>;
  };
  readonly folders: NodeFolders;
  readonly clock: Clock;
  /** The flow stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Publishes how a sensor's calibration is; the newest stays on the broker. */
  readonly tell: (sensor: string, calibration: Calibration) => void;
}

export type OpenCalibrations = (parts: CalibrationParts) => Promise<Calibrations>;

/** The commands over MQTT; a node that cannot calibrate does not offer them. */
export function calibrationHandlers(
  calibrations: Calibrations | undefined,
  { sensors }: Pick<Config, "sensors">,
): CommandHandlers {
  if (calibrations === undefined) return {};
  return {
    "calibrate/start": async ({ sensor, with: asked, duration }, signal) => {
      const { bind } = sensors[known(sensor, sensors)]!;
      const camera = asked ?? bind;
      if (camera === undefined) {
        throw new SenseError("BAD_ARGUMENT", `with is missing: which camera ${sensor} is to be bound to`, {
          hint: "Give the camera that looks at the same place.",
        });
      }
      known(camera, sensors);
      await calibrations.start({ sensor, with: camera, duration }, signal);
      return {};
    },
    "calibrate/stop": async ({ sensor }) => {
      await calibrations.stop(known(sensor, sensors));
      return {};
    },
    "calibrate/status": () => ({ calibrations: { ...calibrations.status() } }),
    "calibrate/undo": async ({ sensor }) => {
      await calibrations.undo(known(sensor, sensors));
      return {};
    },
  };
}

function known(sensor: string, sensors: Config["sensors"]): string {
  if (Object.hasOwn(sensors, sensor)) return sensor;
  const near = nearest(sensor, Object.keys(sensors));
  throw new SenseError("BAD_ARGUMENT", `no sensor is called "${sensor}"`, {
    hint: near ? `Did you mean "${near}"?` : `Sensors: ${Object.keys(sensors).join(", ")}.`,
  });
}
