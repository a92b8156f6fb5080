import { parse } from "yaml";
import { type Asked, asksFor, dimsOf, type Target, targets, trainingOf } from "../../align/net/plan.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { nearest } from "../../core/suggest.js";
import { Trainings } from "../../core/training.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Manifest } from "../../encoder/manifest.js";
import { readText } from "../rules-file.js";
import { bad } from "./asked.js";
import { planned } from "./calibrate.js";
import { mapSize } from "./gathered.js";
import { givesMaps } from "./lent.js";

/** `head`, `lora`, `encoder`, `camera`, or several of them with commas between. Throws `BAD_ARGUMENT`. */
export function targetsIn(text: string): readonly Target[] {
  return text.split(",").map((word) => {
    const found = targets.find((target) => target === word.trim());
    if (found !== undefined) return found;
    const near = nearest(word.trim(), targets);
    throw bad(
      `"${word.trim()}" is nothing that can be trained`,
      `${near === undefined ? "" : `Did you mean ${near}? `}Give ${targets.join(", ")}, or several with commas between.`,
    );
  });
}

/** A file of the form that `training` has in a manifest. Throws `BAD_ARGUMENT` with the path and the field, `FILE_UNREADABLE`. */
export async function readTrainings(path: string): Promise<Trainings> {
  const hint = "`sensebind schema manifest` has its form, as `training`.";
  const text = await readText(path);
  let given: unknown;
  try {
    given = parse(text);
  } catch (cause) {
    throw new SenseError("BAD_ARGUMENT", `${path} is not YAML: ${(cause as Error).message}`, { hint, cause });
  }
  const parsed = Trainings.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the document"}: ${issue.message}`);
  throw bad(`${path}: ${problems.slice(0, 3).join("; ")}`, hint);
}

export interface ChosenOptions {
  readonly manifest: Manifest;
  /** Of the command line, by word. */
  readonly train?: readonly Target[] | undefined;
  /** Of a file that the command line names. */
  readonly file?: { readonly path: string; readonly trainings: Trainings } | undefined;
}

/**
 * What is learned for a modality: as the command line says, else as the bundle's manifest does, else a head on the encoder that is
 * there; where there is none, the camera's is lent to sensors of maps, and others get one from nothing. Throws `BAD_ARGUMENT`, and
 * `MODALITY_UNSUPPORTED` for a head or updates without an encoder, or the camera's for what is no map.
 */
export function chosenTraining(modality: Modality, { manifest, train, file }: ChosenOptions): Asked {
  const there = manifest.towers[modality] !== undefined;
  if (file !== undefined && file.trainings[modality] === undefined) {
    throw bad(
      `${file.path} says nothing of ${modality}`,
      `It has ${Object.keys(file.trainings).join(", ") || "nothing"}; add "${modality}".`,
    );
  }
  const usual = there ? "head" : givesMaps(modality) ? "camera" : "encoder";
  const asked = train ?? file?.trainings[modality] ?? manifest.training?.[modality] ?? usual;
  if (asksFor(asked, "camera")) {
    checkLent(modality, asked);
    return asked;
  }
  if (there) return asked;
  const needs = asksFor(asked, "lora") ? "low-rank updates" : asksFor(asked, "encoder") ? undefined : "a head";
  if (needs === undefined) return asked;
  throw new SenseError(
    "MODALITY_UNSUPPORTED",
    `bundle ${manifest.id} has no ${modality} encoder to train ${needs} on`,
    { hint: "Ask for an encoder, which is learned from nothing (--train encoder)." },
  );
}

function checkLent(modality: Modality, asked: Asked): void {
  if (asksFor(asked, "lora") || asksFor(asked, "encoder")) {
    throw bad("the camera's encoder stays as it is", "camera goes alone, or with a head: --train camera,head.");
  }
  if (givesMaps(modality)) return;
  throw new SenseError("MODALITY_UNSUPPORTED", `the camera's encoder looks at maps, and ${modality} gives none`, {
    hint: "Learn an encoder from nothing (--train encoder).",
  });
}

/** Throws what `planned` throws, where it is known before anything is recorded or read what the network will be given. */
export async function checkFits(asked: Asked, modality: Modality, bundle: Bundle): Promise<void> {
  const recipe = bundle.manifest.towers[modality]?.preprocess;
  const isUpdate = asksFor(asked, "lora");
  if (recipe === undefined || (!isUpdate && !asksFor(asked, "encoder"))) return;
  // What a new encoder is given of a series depends on what will be recorded.
  const ofNew = givesMaps(modality) ? [1, mapSize, mapSize] : undefined;
  const dims = isUpdate ? dimsOf(recipe) : ofNew;
  if (dims !== undefined) await planned(trainingOf(asked, recipe), { bundle, modality, dims });
}
