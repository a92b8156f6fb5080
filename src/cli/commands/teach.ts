import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../../core/duration.js";
import type { UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import { Id, type Modality } from "../../core/modality.js";
import type { Bundle } from "../../encoder/bundle.js";
import { meanOf } from "../../encoder/mean.js";
import { putConcept } from "../../pipeline/concept-file.js";
import { recordedSensor } from "../../pipeline/recorded.js";
import { FalseAlarms } from "../../space/background/rate.js";
import { taughtBy } from "../../space/lesson.js";
import type { Taught } from "../../space/taught.js";
import { fewestWindows } from "../../space/teach.js";
import { withBundle } from "../bundles.js";
import { collect, type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { printJson, printLine } from "../print.js";
import { backgroundVectors, fileVectors, spanVectors } from "../teaching-material.js";

interface Flags extends EncodingFlags {
  readonly modality?: Modality;
  readonly out: string;
  readonly text: readonly string[];
  readonly background: readonly string[];
  readonly method: Taught["method"];
  readonly share: number;
  readonly falseAlarms?: string;
  readonly recording?: string;
  readonly sensor?: string;
  readonly from?: string;
  readonly to?: string;
}

export function register(program: Command): void {
  const command = program
    .command("teach")
    .description("a concept from one example or a few, with its expected precision on the background")
    .argument("<concept>", "its id, as the configuration will know it")
    .argument("[files...]", "what it looks or sounds like")
    .option("--modality <modality>", "of the files", parseModality)
    .requiredOption("--out <concepts.yaml>", "file that the configuration includes; other concepts in it stay")
    .option("--text <words>", "words for it: with few examples they steady it; may be given several times", collect, [])
    .option(
      "--background <paths...>",
      "what the sensor usually perceives: files, recordings (.mcap) or a store of embeddings",
      [],
    )
    .option("--recording <f.mcap>", "the example is in a recording: give --sensor, --from and --to")
    .option("--sensor <id>", "sensor of the recording")
    .option("--from <d>", "where it begins, counted from the sensor's first reading, such as 10s")
    .option("--to <d>", "where it ends")
    .addOption(
      new Option("--method <method>", "how examples become a concept")
        .choices(["prototype", "linear"])
        .default("prototype"),
    )
    .option("--share <p>", "share of windows that hold it, for the expected precision", parseShare, 0.01)
    .option("--false-alarms <rate>", "how often a false alarm may come, such as 1/day", parseRate);
  encodingOptions(command).action(teachConcept);
}

async function teachConcept(id: string, files: readonly string[], flags: Flags): Promise<void> {
  if (!Id.safeParse(id).success) {
    throw new SenseError("BAD_ARGUMENT", `"${id}" cannot be a concept's id`, { hint: "Use a-z, 0-9, _ and -." });
  }
  await withBundle({ bundle: flags.bundle }, async (bundle) => {
    const modality = await modalityOf(files, flags);
    const { examples, background } = await material(bundle, files, { ...flags, modality });
    const words = flags.text.length === 0 ? undefined : await wordsVector(bundle, flags.text, modality);
    const { method, share } = flags;
    const taught = taughtBy({ space: bundle.space, modality, examples, words, background, method, share });
    await putConcept(flags.out, id, {
      ...(flags.text.length > 0 && { texts: flags.text }),
      modalities: [modality],
      ...(flags.falseAlarms !== undefined && { falseAlarms: flags.falseAlarms }),
      taught,
    });
    report(id, taught, { ...flags, windows: background.length });
  });
}

async function modalityOf(files: readonly string[], { modality, recording, sensor }: Flags) {
  if (recording !== undefined && sensor !== undefined) {
    const { modality: found } = await recordedSensor(recording, sensor);
    if ((modality ?? found) === found) return found;
    throw new SenseError("BAD_ARGUMENT", `${sensor} of ${recording} is ${found}, --modality says ${modality}`, {
      hint: "Leave --modality out, or name another sensor.",
    });
  }
  if (files.length === 0) {
    throw new SenseError("BAD_ARGUMENT", "there is nothing to learn from", {
      hint: "Give files with --modality, or --recording with --sensor, --from and --to.",
    });
  }
  if (modality !== undefined && modality !== "text") return modality;
  throw new SenseError("BAD_ARGUMENT", "--modality is missing", {
    hint: "Say what the files are of: vision, audio, depth, thermal, imu or other.",
  });
}

type Way = Flags & { readonly modality: Exclude<Modality, "text"> };

async function material(bundle: Bundle, files: readonly string[], flags: Way) {
  const examples: UnitVector[] = [...(await fileVectors(bundle, files, flags))];
  const background: UnitVector[] = [...(await backgroundVectors(bundle, flags.background, flags))];
  const { recording, sensor, from, to } = flags;
  if (recording !== undefined) {
    if (sensor === undefined || from === undefined || to === undefined) {
      throw new SenseError("BAD_ARGUMENT", "--recording needs --sensor, --from and --to", {
        hint: "For instance --sensor mic --from 10s --to 12s, counted from the sensor's first reading.",
      });
    }
    const span = await spanVectors(bundle, { recording, sensor, from: parseDuration(from), to: parseDuration(to) });
    examples.push(span.example);
    background.push(...span.background);
  }
  return { examples, background };
}

async function wordsVector(bundle: Bundle, texts: readonly string[], modality: Modality): Promise<UnitVector> {
  const words = await bundle.encodeText(texts, modality);
  return meanOf(
    words.map(({ vector }) => vector),
    1,
  ).vector;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function report(id: string, taught: Taught, { json, out, windows }: Flags & { readonly windows: number }): void {
  const { method, space, modality, threshold, background, expected, examples } = taught;
  const shots = examples.length;
  if (json) printJson({ concept: id, space, modality, method, shots, threshold, background, expected, out });
  else {
    printLine(`${id}: ${shots} example${shots === 1 ? "" : "s"} of ${modality}, written to ${out}`);
    printLine(expectation(taught, windows));
  }
}

function expectation({ expected }: Taught, windows: number): string {
  if (!expected) {
    return `no expected precision: ${windows} windows of background were given (--background), ${fewestWindows} are needed`;
  }
  const { precision, recall, share, falsely } = expected;
  const fires = `fires on ${falsely.fired} of ${falsely.windows} windows of background, on about ${percent(recall)} of its own`;
  return `${fires}\nexpected precision ${percent(precision)} where ${percent(share)} of the windows hold it`;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (share > 0 && share < 1) return share;
  throw new InvalidArgumentError("Use a number between 0 and 1, such as 0.01.");
}

function parseRate(text: string): string {
  const rate = FalseAlarms.safeParse(text);
  if (rate.success) return text;
  throw new InvalidArgumentError(rate.error.issues[0]!.message);
}
