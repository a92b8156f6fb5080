import { copyFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isHeadAlone } from "../../align/net/architecture-of.js";
import { finished } from "../../align/net/net.js";
import { cardMarkdown } from "../../align/report/card.js";
import type { CalibrationFacts } from "../../align/report/facts.js";
import { reportHtml } from "../../align/report/page.js";
import { cosine, type UnitVector } from "../../core/embedding.js";
import type { Bundle } from "../../encoder/bundle.js";
import { extendBundle } from "../../encoder/import/extend.js";
import type { Manifest, Tower } from "../../encoder/manifest.js";
import type { Runtime } from "../../encoder/runtime.js";
import { normalizeRows } from "../../onnx/arithmetic.js";
import { saveModel } from "../../onnx/file.js";
import { backgroundWords } from "../../space/background-words.js";
import type { Calibrated } from "./calibrate.js";
import { inputOf } from "./frozen.js";

/** Name of the report beside a bundle's other files. */
export const reportFile = (name: string): string => `${name}-report.html`;

export interface OverlayOptions {
  readonly bundle: Bundle;
  readonly runtime: Runtime;
  readonly out: string;
  readonly facts: CalibrationFacts;
  /** Whether it is for this sensor alone, since there are others of its modality; their encoder stays as it is. */
  readonly alone?: boolean;
  /** Paths of graphs that the tower has and the bundle's folder has not. */
  readonly more?: readonly string[];
}

/**
 * Writes the bundle that a calibration made: all of the old one, and the new head or encoder in its place. The space stays the
 * same, every file is signed by its hash, and a folder that was there already is refused.
 */
export async function writeOverlay(
  made: Calibrated,
  { bundle, runtime, out, facts, alone = false, more = [] }: OverlayOptions,
): Promise<Manifest> {
  const { modality, plan, parameters, dims } = made;
  const { training } = plan;
  const before = bundle.manifest.towers[modality];
  const isHead = isHeadAlone(training) && before !== undefined;
  const isUpdate = training.lora !== undefined && before !== undefined;
  const word = isUpdate ? "lora" : "encoder";
  // A sensor may be called as its modality is.
  const name = alone ? `sensor-${facts.sensor}` : modality;
  const file = isHead ? `${name}-head-${before.graphs.length}.onnx` : `${name}-${word}-${made.step}.onnx`;
  const graph = isHead
    ? finished((net, x) => plan.architecture(net, normalizeRows(net.g, x)), ["n", ...dims], parameters, "frozen")
    : finished(plan.architecture, ["n", ...dims], parameters, inputOf(made.recipe));
  const files = [file, `${file}.data`, reportFile(name), ...more.map((path) => basename(path))];
  const tower: Tower = {
    ...(isHead || isUpdate ? before : bareTower(made, bundle)),
    weights: isHead ? before.weights : [],
    graphs: isHead ? [...before.graphs, file] : [file],
    output: "embedding",
    rawScale: 1,
    background: await levelOfWords(made, bundle),
    alike: levelsOf(made),
  };
  return extendBundle(
    bundle.dir,
    {
      modality,
      ...(alone && { sensor: facts.sensor }),
      tower,
      training,
      source: `calibration ${facts.sensor} ${facts.seed} ${made.step} ${facts.recall.after.at1} ${JSON.stringify(training)}`,
      title: `${bundle.manifest.title}, ${facts.sensor} bound to ${facts.camera}`,
      card: cardMarkdown(facts),
      files,
      write: async (dir) => {
        await saveModel(graph, join(dir, file), { external: `${file}.data` });
        await writeFile(join(dir, reportFile(name)), reportHtml(facts));
        for (const path of more) await copyFile(path, join(dir, basename(path)));
      },
    },
    { out, runtime },
  );
}

/** What an encoder from nothing takes over from the camera, to which it was bound. */
function bareTower({ recipe, window }: Calibrated, bundle: Bundle): Omit<Tower, "background"> {
  const { prompts, logitScale, logitBias } = bundle.tower("vision");
  return {
    graphs: [],
    output: "embedding",
    preprocess: recipe,
    window,
    prompts,
    logitScale,
    logitBias,
    rawScale: 1,
  };
}

const spread = (values: readonly number[]): { mean: number; deviation: number } => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.max(Math.sqrt(variance), 1e-3) };
};

/** Cosine of the sensor's held-out vectors with words of nothing in particular. */
async function levelOfWords({ modality, vectors }: Calibrated, bundle: Bundle): Promise<Tower["background"]> {
  const words = await bundle.encodeText(backgroundWords[modality], "vision");
  return spread(vectors.flatMap((vector) => words.map((word) => cosine(vector, word.vector))));
}

/** Cosine of held-out windows with windows and camera frames of other times. */
function levelsOf({ modality, vectors: every, pairs }: Calibrated): NonNullable<Tower["alike"]> {
  // A few hundred tell as much as thousands, whose every pair would take seconds.
  const some = <T>(all: readonly T[]): readonly T[] => all.filter((_, i) => i % Math.ceil(all.length / 256) === 0);
  const [vectors, anchors] = [some(every), some(pairs.heldOut.map(({ anchor }) => anchor))];
  const others = (all: readonly UnitVector[]): number[] =>
    vectors.flatMap((vector, i) => all.flatMap((other, j) => (i === j ? [] : [cosine(vector, other)])));
  return { [modality]: spread(others(vectors)), vision: spread(others(anchors)) };
}
