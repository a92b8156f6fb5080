import type { Command } from "commander";
import { everySensor } from "../../config.js";
import type { Embedding } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import { nearest as nearestName } from "../../core/suggest.js";
import { replay } from "../../pipeline/replay.js";
import { type Attempt, Attempts } from "../../space/attempts.js";
import { concerns } from "../../space/concept.js";
import type { Look } from "../../space/recognise.js";
import { untilStopped } from "../edge.js";
import { loadConfig } from "../load-config.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";

interface Flags {
  readonly config: string;
  readonly sensor?: string;
  readonly concept?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command("explain")
    .description("why concepts fired on a recording, why not, and how far they were from it")
    .argument("<recording.mcap>", "made by `sensebind record`")
    .requiredOption("--config <c.yaml>", "the configuration")
    .option("--sensor <id>", "of this sensor only")
    .option("--concept <id>", "of this concept only")
    .addOption(jsonOption())
    .action(explain);
}

async function explain(path: string, flags: Flags): Promise<void> {
  const { config, folders } = await loadConfig(flags.config);
  refuseUnknown("concept", flags.concept, Object.keys(config.concepts));
  refuseUnknown("sensor", flags.sensor, Object.keys(everySensor(config)));
  const attempts = new Attempts();
  for (const [sensor, { modalities }] of Object.entries(everySensor(config))) {
    for (const [concept, settings] of Object.entries(config.concepts)) {
      if (concerns(settings, sensor, modalities)) attempts.expect(sensor, concept);
    }
  }
  let start: number | undefined;
  const edge = {
    signal: untilStopped(),
    folders,
    onLooks: ({ sensor, from, to }: Embedding, looks: readonly Look[]) => {
      start = Math.min(start ?? from, from);
      attempts.add(sensor, to, looks);
    },
  };
  for await (const _ of replay(path, config, edge));
  const wanted = attempts
    .report()
    .filter(({ sensor }) => sensor === (flags.sensor ?? sensor))
    .filter(({ concept }) => concept === (flags.concept ?? concept));
  for (const attempt of wanted) flags.json ? printJson(attempt) : printLine(attemptText(attempt, start ?? 0));
}

function refuseUnknown(what: string, given: string | undefined, known: readonly string[]): void {
  if (given === undefined || known.includes(given)) return;
  const near = nearestName(given, known);
  throw new SenseError("BAD_ARGUMENT", `no ${what} is called "${given}"`, {
    hint: near ? `Did you mean "${near}"?` : `There are: ${known.join(", ")}.`,
  });
}

/** `mic.fall  never fired in 12 windows. Nearest at 3.50 s: …` */
function attemptText({ sensor, concept, windows, events, nearest, held, minutes }: Attempt, start: number): string {
  const name = `${sensor}.${concept}`.padEnd(24);
  if (!nearest) return `${name} the sensor gave no window`;
  const fired = events === 0 ? "never fired" : `fired ${events} time${events === 1 ? "" : "s"}`;
  const at = ((nearest.at - start) / 1e6).toFixed(2);
  const { score, cosine, margin, threshold, distance, rival, bestPrompt } = nearest;
  const seen = `score ${score.toFixed(2)}, cosine ${cosine.toFixed(3)} with "${bestPrompt}"`;
  const against =
    rival.of === "nothing" ? "nothing else came near" : `it resembled "${rival.of}" too (${rival.margin.toFixed(3)})`;
  const lines = [
    `${name} ${fired} in ${windows} windows`,
    `  ${events === 0 ? "nearest" : "clearest"} at ${at} s: ${seen}; ${against}`,
  ];
  if (threshold === null) {
    lines.push(`  nothing may fire yet: ${minutes ?? 0} minutes of its background are known, three are needed`);
  } else {
    const far = `${Math.abs(distance!).toFixed(3)} ${distance! >= 0 ? "above" : "short of"} the ${threshold.toFixed(3)} needed`;
    lines.push(
      `  its margin of ${margin.toFixed(3)} was ${far}${minutes === undefined ? "" : ` (${minutes} minutes of background)`}`,
    );
  }
  if (events === 0) lines.push(`  ${whyNot(held)}`);
  return lines.join("\n");
}

function whyNot({ cooldown, minOn }: Attempt["held"]): string {
  if (minOn > 0) return `it was above for ${minOn} windows, but not for as long as minOn asks`;
  if (cooldown > 0) return `it was above in ${cooldown} windows of its cooldown`;
  return "its score never reached `on`";
}
