import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBundle } from "../bundle.js";
import { recordGolden } from "../golden.js";
import type { Manifest } from "../manifest.js";
import type { Runtime } from "../runtime.js";
import type { Draft } from "./draft.js";
import { hashFile } from "./hash-file.js";
import { manifestText } from "./manifest-text.js";

export interface Publication {
  /** The manifest without the files, which the draft knows. */
  readonly manifest: Omit<Manifest, "files">;
  /** The text of card.md: what the model is, its licence, where it came from. */
  readonly card: string;
  /** Makes the golden vectors, so that a copy can be verified on another machine. */
  readonly runtime: Runtime;
}

/** Completes a draft with card.md, golden.json and manifest.json, and makes it the bundle. */
export async function publish(draft: Draft, { manifest, card, runtime }: Publication): Promise<Manifest> {
  const { dir } = draft;
  await writeFile(join(dir, "card.md"), card);
  const files = { ...draft.files, "card.md": await hashFile(join(dir, "card.md")) };
  await writeFile(join(dir, "manifest.json"), manifestText({ ...manifest, files }));
  await writeFile(join(dir, "golden.json"), await goldenText(dir, runtime));
  const complete: Manifest = {
    ...manifest,
    files: { ...files, "golden.json": await hashFile(join(dir, "golden.json")) },
  };
  await writeFile(join(dir, "manifest.json"), manifestText(complete));
  await draft.publish();
  return complete;
}

/** The bundle is closed again before its folder gets another name. */
async function goldenText(dir: string, runtime: Runtime): Promise<string> {
  await using bundle = await openBundle(dir, runtime);
  return `${JSON.stringify(await recordGolden(bundle))}\n`;
}
