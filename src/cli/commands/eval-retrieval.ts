import type { Command } from "commander";
import type { UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Bundle } from "../../encoder/bundle.js";
import { withBundle } from "../bundles.js";
import { encodeFiles } from "../encode-files.js";
import { readPairs } from "../lists.js";
import { retrievalReport } from "../metrics.js";
import { type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { printJson, printLine, progress } from "../print.js";
import { group } from "../program.js";
import { Skipped } from "../skipped.js";

export function register(program: Command): void {
  const command = group(program, "eval", "how well a bundle does on your own files")
    .command("retrieval")
    .description("how often a file of one modality finds its partner of another")
    .argument("<a>", "a modality", parseModality)
    .argument("<b>", "another modality", parseModality)
    .argument("<pairs.csv>", "pairs of files, the header naming the two modalities");
  encodingOptions(command).action(evaluate);
}

async function evaluate(a: Modality, b: Modality, pairsPath: string, flags: EncodingFlags): Promise<void> {
  if (a === b) {
    throw new SenseError("BAD_ARGUMENT", `the two modalities are both ${a}`, { hint: "Name two different ones." });
  }
  const pairs = await readPairs(pairsPath, [a, b]);
  await withBundle({ bundle: flags.bundle, many: pairs.length > 8 }, async (bundle) => {
    const skipped = new Skipped(flags);
    const left = await vectorsOf(bundle, a, { sources: pairs.map(([path]) => path), flags, skipped });
    const right = await vectorsOf(bundle, b, { sources: pairs.map(([, path]) => path), flags, skipped });
    const whole = pairs.map((_, i) => i).filter((i) => left[i] !== undefined && right[i] !== undefined);
    skipped.finish(whole.length);
    if (whole.length === 0) return;
    const [ours, theirs] = [whole.map((i) => left[i]!), whole.map((i) => right[i]!)];
    const report = {
      [`${a}->${b}`]: retrievalReport(ours, theirs),
      [`${b}->${a}`]: retrievalReport(theirs, ours),
    };
    if (flags.json) return printJson(report);
    for (const [direction, { medianRank, n, ...recall }] of Object.entries(report)) {
      const shares = Object.entries(recall).map(([name, value]) => `${name} ${(100 * value).toFixed(1)}%`);
      printLine(`${direction}: ${shares.join(", ")}, median rank ${medianRank} of ${n}`);
    }
  });
}

interface Column {
  readonly sources: readonly string[];
  readonly flags: EncodingFlags;
  readonly skipped: Skipped;
}

/** A vector for each source, `undefined` for one that could not be used. */
async function vectorsOf(
  bundle: Bundle,
  modality: Modality,
  { sources, flags, skipped }: Column,
): Promise<readonly (UnitVector | undefined)[]> {
  if (modality === "text") return (await bundle.encodeText(sources)).map(({ vector }) => vector);
  const vectors: (UnitVector | undefined)[] = [];
  for await (const result of encodeFiles(bundle, sources, { modality, ...flags })) {
    if ("error" in result) skipped.add(result.error);
    vectors.push("encoded" in result ? result.encoded.vector : undefined);
    progress(vectors.length, sources.length);
  }
  return vectors;
}
