import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSenseError, SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Training } from "../../core/training.js";
import type { Manifest, Tower } from "../manifest.js";
import { everyTower, readManifest, towerFiles } from "../manifest-file.js";
import type { Runtime } from "../runtime.js";
import { bundleId } from "./bundle-id.js";
import { Draft } from "./draft.js";
import { dataOf } from "./graph-data.js";
import { publish } from "./publish.js";

/** A tower that joins the space of another bundle, or replaces that bundle's own for its modality. */
export interface Addition {
  readonly modality: Modality;
  /** The one sensor that it is for; every sensor of the modality unless given. */
  readonly sensor?: string | undefined;
  readonly tower: Tower;
  /** How it was trained, where that can be done again. */
  readonly training?: Training;
  /** Identity of what it is made of: an interrupted extension with the same goes on where it was. */
  readonly source: string;
  readonly title: string;
  /** What card.md says of it, in Markdown. */
  readonly card: string;
  /** Names of the files that `write` makes; no other tower of the base may have them, and files of the base may be links. */
  readonly files: readonly string[];
  write(dir: string): Promise<void>;
}

export interface ExtendOptions {
  readonly out: string;
  readonly runtime: Runtime;
}

/**
 * Writes an overlay: a bundle with all of `base` and one tower more. The base's files are linked, not copied, where the file
 * system can. Unless it replaces text or vision, the space stays the base's. Throws `BAD_ARGUMENT` where `out` exists.
 */
export async function extendBundle(
  base: string,
  addition: Addition,
  { out, runtime }: ExtendOptions,
): Promise<Manifest> {
  const { files, ...manifest } = await readManifest(base);
  const { modality, sensor, tower } = addition;
  const draft = await Draft.open(out, `overlay/1 ${JSON.stringify(files)} ${addition.source}`);
  try {
    const kept = await keptFiles(base, { files, ...manifest }, addition);
    for (const file of kept) await draft.share(join(base, file), file);
    const clash = addition.files.find((file) => kept.includes(file));
    if (clash !== undefined) {
      throw new SenseError("BAD_ARGUMENT", `${clash} is a file of the base bundle already`, {
        hint: "Give the new file another name.",
      });
    }
    await draft.part(`tower ${sensor ?? modality}`, async () => {
      await addition.write(draft.dir);
      return addition.files;
    });
    const isAnchor = modality === "text" || modality === "vision";
    const card = await readFile(join(base, "card.md"), "utf8").catch(() => `# ${manifest.title}\n`);
    const { base: before, training, ...rest } = manifest;
    const overlay: Omit<Manifest, "files"> = {
      ...rest,
      ...(isAnchor ? {} : { base: before ?? manifest.id }),
      id: bundleId(out),
      title: addition.title,
      ...(sensor === undefined
        ? { towers: { ...manifest.towers, [modality]: tower }, ...trainingsOf(manifest, addition) }
        : { sensors: { ...manifest.sensors, [sensor]: sensorTower(addition) }, ...(training && { training }) }),
    };
    return await publish(draft, { manifest: overlay, card: `${card}\n${addition.card}`, runtime });
  } catch (error) {
    if (isSenseError(error)) await draft.discard();
    throw error;
  }
}

/** How the towers were trained: what was said of one that is replaced says nothing of the new one. */
function trainingsOf({ training }: Omit<Manifest, "files">, addition: Addition): Pick<Manifest, "training"> {
  const { [addition.modality]: _, ...others } = training ?? {};
  const trainings = { ...others, ...(addition.training && { [addition.modality]: addition.training }) };
  return Object.keys(trainings).length > 0 ? { training: trainings } : {};
}

function sensorTower({ modality, tower, training }: Addition): NonNullable<Manifest["sensors"]>[string] {
  if (modality === "text" || modality === "vision") {
    throw new SenseError("BAD_ARGUMENT", `a ${modality} encoder cannot be of one sensor: it makes the space`);
  }
  return { ...tower, modality, ...(training && { training }) };
}

/** The base's files without those that only the replaced tower used; towers may share weights, and a new one may go on from the old. */
async function keptFiles(dir: string, manifest: Manifest, addition: Addition): Promise<readonly string[]> {
  const { modality, sensor } = addition;
  const replaced = sensor === undefined ? `towers.${modality}` : `sensors.${sensor}`;
  const towers = everyTower(manifest);
  const needed = new Set<string>(addition.tower.weights);
  for (const graph of addition.tower.graphs) {
    if (addition.files.includes(graph)) continue;
    needed.add(graph);
    for (const file of await dataOf(dir, graph)) needed.add(file);
  }
  for (const [place, tower] of towers) {
    if (place === replaced) continue;
    for (const file of towerFiles(manifest, tower)) needed.add(file);
    for (const graph of tower.graphs) for (const file of await dataOf(dir, graph)) needed.add(file);
  }
  const old = new Map(towers).get(replaced);
  const dropped = new Set((old === undefined ? [] : towerFiles(manifest, old)).filter((file) => !needed.has(file)));
  // A report of the encoder that was there, say, which no tower needs, gives way to the new one.
  const renewed = new Set(addition.files.filter((file) => !needed.has(file)));
  return Object.keys(manifest.files).filter(
    (file) => !dropped.has(file) && !renewed.has(file) && file !== "card.md" && file !== "golden.json",
  );
}
