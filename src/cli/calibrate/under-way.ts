import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Duration } from "../../core/time.js";
import { writeStateFile } from "./state-file.js";

const UnderWay = z.strictObject({
  format: z.literal("sensebind.calibrating/1"),
  sensor: z.string(),
  with: z.string(),
  duration: z.number().transform((us) => us as Duration),
  /** How often it was begun. */
  begun: z.int().positive(),
});

/** The calibration that a node is at. */
export type UnderWay = Pick<z.infer<typeof UnderWay>, "sensor" | "with" | "duration" | "begun">;

const fileOf = (state: string): string => join(state, "calibrating.json");

/** What the node was at when it was cut off; nothing where it was at none, or the file is damaged. */
export async function readUnderWay(state: string): Promise<UnderWay | undefined> {
  const text = await readFile(fileOf(state), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return UnderWay.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Notes it, so that a node that is cut off takes it up again. Throws `FILE_UNWRITABLE`. */
export const noteUnderWay = (state: string, underWay: UnderWay): Promise<void> => {
  const { sensor, with: camera, duration, begun } = underWay;
  return writeStateFile(fileOf(state), { format: "sensebind.calibrating/1", sensor, with: camera, duration, begun });
};

export const forgetUnderWay = (state: string): Promise<void> => rm(fileOf(state), { force: true });
