import { type Config, everySensor } from "../config.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import { nearest } from "../core/suggest.js";
import type { Bundle } from "../encoder/bundle.js";
import type { Tower } from "../encoder/manifest.js";
import { backgroundWords } from "../space/background-words.js";
import { concerns, encodeConcepts } from "../space/concept.js";
import { fusedConcepts } from "../space/fused-concepts.js";
import type { Named } from "../space/ingredients.js";
import type { ConceptEncoder } from "../space/prompt.js";
import type { SensorConcepts } from "../space/recognise.js";
import { type ExampleFolders, exampleEncoder } from "./examples.js";
import { isUnbound } from "./unbound.js";

type Asked = Pick<Config, "sensors" | "concepts" | "fused">;

type Sensed = Exclude<Modality, "text">;

/** A concept that names a sensor which is not there would never fire, and nobody would know. */
function refuseUnknownSensors(asked: Asked): void {
  const sensors = everySensor(asked);
  for (const [id, concept] of Object.entries(asked.concepts)) {
    const unknown = concept.sensors?.find((sensor) => !(sensor in sensors));
    if (unknown === undefined) continue;
    const near = nearest(unknown, Object.keys(sensors));
    throw new SenseError("BAD_CONFIG", `concepts.${id}.sensors: no sensor is called "${unknown}"`, {
      hint: near ? `Did you mean "${near}"?` : `Sensors: ${Object.keys(sensors).join(", ")}.`,
    });
  }
}

/**
 * What each sensor is asked for, encoded once: sensors of one modality share the work, and all of them one loading of the
 * text tower. A sensor that is not bound to the space yet is asked for nothing. Throws `BAD_CONFIG`, `MODALITY_UNSUPPORTED`, `FILE_UNREADABLE` for an example.
 */
export async function conceptsBySensor(
  asked: Asked,
  bundle: Bundle,
  folders: ExampleFolders = {},
): Promise<ReadonlyMap<string, SensorConcepts>> {
  refuseUnknownSensors(asked);
  const encoder: ConceptEncoder = {
    space: bundle.space,
    encodeText: (texts, modality) => bundle.encodeText(texts, modality),
    encodeExample: exampleEncoder(bundle, folders),
  };
  const all = asked.concepts;
  const { space } = bundle;
  const encode = (entries: readonly Named[], modality: Sensed, levels: Tower) => {
    return encodeConcepts(entries, encoder, { modality, background: backgroundWords[modality], levels, all });
  };
  const bound = Object.entries(everySensor(asked)).filter(
    ([sensor]) => !isUnbound(asked.sensors[sensor], bundle.forSensor(sensor)),
  );
  const made = bound.map(async ([sensor, { modality, modalities }]) => {
    const entries = Object.entries(all).filter(([, settings]) => concerns(settings, sensor, modalities));
    const own = bundle.forSensor(sensor);
    const parts = await Promise.all(
      modalities.map(async (one) => {
        const tower = own.tower(one);
        return { concepts: await encode(entries, one, tower), weight: tower.logitScale };
      }),
    );
    const [first] = parts;
    // A fused sensor's own scale differs from moment to moment: see space/fused-concepts.ts.
    const scale = own.tower(modalities[0]!);
    const concepts = parts.length === 1 ? first!.concepts : fusedConcepts(parts, modality);
    return [sensor, { sensor, modality, modalities, space, concepts, scale }] as const;
  });
  return new Map(await Promise.all(made));
}
