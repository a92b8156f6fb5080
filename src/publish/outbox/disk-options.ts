import type { Log } from "../../core/log.js";
import type { Duration } from "../../core/time.js";

export interface DiskOutboxOptions {
  readonly folder: string;
  /** Bytes on disk at most. */
  readonly maxBytes?: number;
  /** Letters that waited longer are given up. It is running time of the node: a clock that jumps expires nothing. */
  readonly maxAge?: Duration;
  readonly log: Log;
  /** Running time of this process in ms. */
  readonly uptime?: () => number;
}
