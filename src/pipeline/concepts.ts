import type { Config } from "../config.js";
import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import type { Bundle } from "../encoder/bundle.js";
import { backgroundWords } from "../space/background-words.js";
import { concerns, encodeConcepts } from "../space/concept.js";
import type { SensorConcepts } from "../space/recognise.js";

type Asked = Pick<Config, "sensors" | "concepts">;

/** A concept that names a sensor which is not there would never fire, and nobody would know. */
function refuseUnknownSensors({ sensors, concepts }: Asked): void {
  for (const [id, concept] of Object.entries(concepts)) {
    const unknown = concept.sensors?.find((sensor) => !(sensor in sensors));
    if (unknown === undefined) continue;
    const near = nearest(unknown, Object.keys(sensors));
    throw new SenseError("BAD_CONFIG", `concepts.${id}.sensors: no sensor is called "${unknown}"`, {
      hint: near ? `Did you mean "${near}"?` : `Sensors: ${Object.keys(sensors).join(", ")}.`,
    });
  }
}

/** What each sensor is asked for, encoded once. Throws `BAD_CONFIG`, `MODALITY_UNSUPPORTED`. */
export async function conceptsBySensor(asked: Asked, bundle: Bundle): Promise<ReadonlyMap<string, SensorConcepts>> {
  refuseUnknownSensors(asked);
  const result = new Map<string, SensorConcepts>();
  for (const [sensor, { modality }] of Object.entries(asked.sensors)) {
    const entries = Object.entries(asked.concepts).filter(([, settings]) => concerns(settings, sensor, modality));
    const background = backgroundWords[modality];
    const concepts = await encodeConcepts(entries, bundle, { modality, background });
    result.set(sensor, { sensor, modality, space: bundle.space, concepts, scale: bundle.tower(modality) });
  }
  return result;
}

/** The names that rules may use: sensors, and the concepts each is asked for. */
export function worldOf(concepts: ReadonlyMap<string, SensorConcepts>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries([...concepts].map(([sensor, asked]) => [sensor, asked.concepts.map(({ id }) => id)]));
}
