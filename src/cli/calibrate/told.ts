import { join } from "node:path";
import type { BindProgress } from "../../align/bind.js";
import type { Collected } from "../../align/pairs/collect.js";
import type { CalibrationFacts } from "../../align/report/facts.js";
import { printJson, printLine } from "../print.js";

/** Progress goes to stderr, so that stdout holds the result alone. */
export const note = (text: string): void => {
  clearBar();
  process.stderr.write(`${text}\n`);
};

let bar = "";

function clearBar(): void {
  if (bar !== "") process.stderr.write(`\r${" ".repeat(bar.length)}\r`);
  bar = "";
}

/** How far something long is: on a terminal in place, each percent; elsewhere a line for each quarter. */
export function tellShare(doing: string): (done: number, more?: string) => void {
  let [percent, quarter] = [-1, 0];
  return (done, more = "") => {
    const now = Math.floor(done * 100);
    if (process.stderr.isTTY) {
      if (now === percent && more === "") return;
      percent = now;
      const text = `${doing}: ${now} %${more && ` (${more})`}`;
      process.stderr.write(`\r${text.padEnd(bar.length)}`);
      bar = text;
      if (done >= 1) note(text);
    } else if (Math.floor(done * 4) > quarter) {
      quarter = Math.floor(done * 4);
      note(`${doing}: ${25 * quarter} %${more && ` (${more})`}`);
    }
  };
}

export const notePairs = ({ train, heldOut, counts }: Collected): void =>
  note(`${train.length} pairs of ${counts.scenes} scenes to learn from, ${heldOut.length} held out`);

export const noteStep = ({ step, steps, loss, heldOut, secondsLeft }: BindProgress): void =>
  note(
    `step ${step} of ${steps}: loss ${loss.toFixed(3)}, held-out recall@1 ${share(heldOut.at1)}, @5 ${share(heldOut.at5)}, ${Math.ceil(secondsLeft)} s left`,
  );

export interface Outcome {
  readonly facts: CalibrationFacts;
  readonly out: string;
  /** Name of the report's file in the bundle. */
  readonly report: string;
  /** Bytes that were given beside the bundle, and the most that the process took in all. */
  readonly memory: { readonly given: number; readonly peak: number };
}

export function printOutcome(outcome: Outcome, { json }: { readonly json: boolean }): void {
  json ? printJson(documentOf(outcome)) : printText(outcome);
}

function documentOf({ facts, out, report, memory }: Outcome): unknown {
  const { recall, pairs } = facts;
  const { before, after, chance } = recall;
  return {
    bundle: facts.bundle.id,
    space: facts.bundle.space,
    out,
    sensor: facts.sensor,
    with: facts.camera,
    trained: facts.trained,
    pairs: { train: pairs.train, heldOut: pairs.heldOut, scenes: pairs.scenes },
    recall: {
      before: before ? { at1: before.at1, at5: before.at5 } : null,
      after: { at1: after.at1, at5: after.at5 },
      chance,
    },
    answers: facts.answers,
    seconds: facts.seconds,
    memory,
    report: join(out, report),
  };
}

function printText({ facts, out, report }: Outcome): void {
  const { sensor, camera, recall, pairs } = facts;
  const { before, after, chance } = recall;
  const was = before ? `${share(before.at1)} and ${share(before.at5)} before` : "there was no encoder before";
  printLine(`${sensor} is bound to ${camera}: ${facts.trained}`);
  printLine(
    `held-out recall@1 ${share(after.at1)}, @5 ${share(after.at5)} of ${pairs.heldOut} pairs (${was}; guessing ${share(chance.at1)} and ${share(chance.at5)})`,
  );
  for (const { concept, camera: seen, sensor: sensed, both } of facts.answers) {
    printLine(`  ${concept}: the camera saw it in ${seen} held-out windows, the sensor in ${sensed}, both in ${both}`);
  }
  printLine(`bundle ${out}; open ${join(out, report)} in a browser`);
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
