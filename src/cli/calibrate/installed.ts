import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { SenseError } from "../../core/errors.js";
import { readManifest } from "../../encoder/manifest-file.js";
import { Calibration } from "../../publish/messages.js";
import { writeStateFile } from "./state-file.js";

/** Which bundle a node uses instead of its configuration's, since a sensor was bound on it: the newest last. */
const Installed = z.strictObject({
  format: z.literal("sensebind.installed/1"),
  bundles: z.array(z.strictObject({ sensor: z.string(), dir: z.string(), calibration: Calibration })),
});
export type Installed = z.infer<typeof Installed>;

const none: Installed = { format: "sensebind.installed/1", bundles: [] };
const fileOf = (state: string): string => join(state, "calibrated.json");

/** What is installed under a node's state folder. Throws `BAD_CONFIG` for a damaged file. */
export async function readInstalled(state: string): Promise<Installed> {
  const path = fileOf(state);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return none;
  try {
    return Installed.parse(JSON.parse(text));
  } catch (cause) {
    throw new SenseError("BAD_CONFIG", `${path} is damaged`, {
      hint: "Remove it: the node then uses the bundle of its configuration.",
      cause,
    });
  }
}

/** The bundle that a node opens: the newest that was made on it from the configuration's, else the configuration's own. */
export const bundleInUse = async (state: string, configured: string): Promise<string> =>
  bundleOf(await readInstalled(state), configured);

/** The same, of what is or would be installed. */
export async function bundleOf({ bundles }: Installed, configured: string): Promise<string> {
  const newest = bundles.at(-1);
  if (newest === undefined) return configured;
  const { id, base } = await readManifest(configured);
  const made = await readManifest(newest.dir).catch(() => undefined);
  // Another bundle was configured since, or the folder is gone: what was made no longer applies.
  return made !== undefined && made.base === (base ?? id) ? newest.dir : configured;
}

export const withNewest = ({ bundles }: Installed, made: Installed["bundles"][number]): Installed => ({
  ...none,
  bundles: [...bundles, made],
});

/** What is installed without the newest bundle, which must be of this sensor. Throws `BAD_ARGUMENT` where there is none. */
export function takenBack({ bundles }: Installed, sensor: string): Installed {
  const newest = bundles.at(-1);
  if (newest?.sensor === sensor) return { ...none, bundles: bundles.slice(0, -1) };
  const [why, hint] =
    newest === undefined
      ? ["nothing was calibrated on this node", "A bundle made with --out is left by naming another one."]
      : [`the last calibration was of ${newest.sensor}`, `Undo that of ${newest.sensor} first.`];
  throw new SenseError("BAD_ARGUMENT", `there is no calibration of ${sensor} to undo: ${why}`, { hint });
}

/** Goes back for a node that does not run; gives the folder that was used and the one before it. Throws `BAD_ARGUMENT`. */
export async function undoInstalled(state: string, sensor: string): Promise<{ from: string; to: string | undefined }> {
  const installed = await readInstalled(state);
  const left = takenBack(installed, sensor);
  await writeInstalled(state, left);
  return { from: installed.bundles.at(-1)!.dir, to: left.bundles.at(-1)?.dir };
}

/** Throws `FILE_UNWRITABLE`. */
export const writeInstalled = (state: string, installed: Installed): Promise<void> =>
  writeStateFile(fileOf(state), installed);
