import { everySensor } from "../config.js";
import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import type { Bundle } from "../encoder/bundle.js";
import { meanOf } from "../encoder/mean.js";
import type { CommandHandlers } from "../publish/commands.js";
import { examplesSoFar, taughtBy, withTaught } from "../space/lesson.js";
import { ConceptText } from "../space/schema.js";
import { dropConcept, putConcept } from "./concept-file.js";
import type { Recent } from "./recent.js";
import type { Settings } from "./settings.js";
import { taughtFile } from "./taught-file.js";

export interface TeachingParts {
  readonly settings: Settings;
  readonly bundle: Bundle;
  readonly recent: Recent;
  /** Folder of what survives a restart: what was taught is kept there. */
  readonly state: string;
}

type Teaching = Pick<CommandHandlers, "concepts/teach" | "concepts/remove">;

/**
 * Lets a running node be told what it has just perceived: the windows are one more example of the concept, and all that the
 * sensor perceived before is what it is not. What was taught lasts over restarts, until it is removed.
 */
export function teachingHandlers(parts: TeachingParts, handlers: CommandHandlers): Teaching {
  const { settings, bundle, recent, state } = parts;
  return {
    "concepts/teach": async ({ name, sensor, last, texts = [] }, signal) => {
      const { within, before } = recent.split(sensor, last);
      if (within.length === 0) throw nothingSeen(sensor, settings);
      const { modality } = within[0]!;
      if (modality === "text") throw new SenseError("BAD_ARGUMENT", "words are no example");
      const known = Object.hasOwn(settings.concepts, name) ? settings.concepts[name] : undefined;
      const words = [...new Set([...(known?.texts ?? []), ...texts])];
      // Nothing of what a fused sensor perceives is of one modality: its words are not put into sentences of one.
      const fused = Object.hasOwn(settings.fused, sensor);
      const encoded = words.length === 0 ? [] : await bundle.encodeText(words, fused ? "text" : modality, signal);
      const scope = fused ? { sensors: [sensor] } : { modalities: [modality] };
      const taught = taughtBy({
        space: bundle.space,
        modality,
        examples: [...examplesSoFar(known, bundle.space), mean(within)],
        words: encoded.length === 0 ? undefined : mean(encoded),
        background: before.map(({ vector }) => vector),
      });
      const written = { ...withTaught(known, taught, scope), ...(words.length > 0 && { texts: words }) };
      const concept = ConceptText.parse(written);
      await settings.use(({ concepts }) => ({ concepts: { ...concepts, [name]: concept } }));
      await putConcept(taughtFile(state), name, written);
      const precision = taught.expected?.precision;
      return {
        examples: taught.examples.length,
        windows: within.length,
        background: before.length,
        ...(precision !== undefined && { precision }),
      };
    },
    "concepts/remove": async (request, signal) => {
      const result = await handlers["concepts/remove"]!(request, signal);
      await dropConcept(taughtFile(state), request.name);
      return result;
    },
  };
}

const mean = (items: readonly { readonly vector: Float32Array }[]) =>
  meanOf(
    items.map(({ vector }) => vector),
    1,
  ).vector;

function nothingSeen(sensor: string, settings: Settings): SenseError {
  const sensors = everySensor(settings);
  if (Object.hasOwn(sensors, sensor)) {
    return new SenseError("BAD_ARGUMENT", `${sensor} has perceived nothing yet`, { hint: "Try again in a moment." });
  }
  const near = nearest(sensor, Object.keys(sensors));
  return new SenseError("BAD_ARGUMENT", `no sensor is called "${sensor}"`, {
    hint: near ? `Did you mean "${near}"?` : `Sensors: ${Object.keys(sensors).join(", ")}.`,
  });
}
