import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { SenseError } from "../../core/errors.js";
import type { Duration } from "../../core/time.js";

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
export async function noteUnderWay(state: string, { sensor, with: camera, duration, begun }: UnderWay): Promise<void> {
  const path = fileOf(state);
  const noted = { format: "sensebind.calibrating/1", sensor, with: camera, duration, begun };
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(noted)}\n`, { flush: true });
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new SenseError("FILE_UNWRITABLE", `${path} cannot be written: ${(cause as Error).message}`, {
      hint: "Free some space, and see that the node may write its state folder.",
      cause,
    });
  }
}

export const forgetUnderWay = (state: string): Promise<void> => rm(fileOf(state), { force: true });
