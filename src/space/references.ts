import { nearest } from "../core/suggest.js";
import type { ConceptText } from "./schema.js";
import type { Term } from "./term.js";

type Concepts = Readonly<Record<string, ConceptText>>;

/** What is wrong with how concepts name one another, and where in the configuration. */
export interface ReferenceProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const named = (terms: readonly Term[]): string[] => terms.flatMap((term) => ("concept" in term ? [term.concept] : []));

/** The other concepts that one is made of or measured against. */
export const referencesOf = ({ concepts, plus, minus, not }: ConceptText): readonly string[] => [
  ...concepts,
  ...named([...plus, ...minus, ...not]),
];

/** A concept that names one that is not there, or itself by way of others: `a -> b -> a`. */
export function referenceProblem(concepts: Concepts): ReferenceProblem | undefined {
  for (const [id, settings] of Object.entries(concepts)) {
    const absent = referencesOf(settings).find((other) => !Object.hasOwn(concepts, other));
    if (absent === undefined) continue;
    const near = nearest(absent, Object.keys(concepts));
    const message = `there is no concept "${absent}"${near ? `; did you mean "${near}"?` : ""}`;
    return { path: placeOf(id, settings, absent), message };
  }
  const done = new Set<string>();
  for (const id of Object.keys(concepts)) {
    const cycle = cycleFrom(id, concepts, { trail: [], done });
    if (cycle === undefined) continue;
    const [first, second] = cycle;
    const message = `concepts are made of each other in a circle: ${cycle.join(" -> ")}`;
    return { path: placeOf(first!, concepts[first!]!, second!), message };
  }
  return undefined;
}

interface Walk {
  readonly trail: readonly string[];
  readonly done: Set<string>;
}

function cycleFrom(id: string, concepts: Concepts, { trail, done }: Walk): readonly string[] | undefined {
  if (trail.includes(id)) return [...trail.slice(trail.indexOf(id)), id];
  if (done.has(id)) return undefined;
  for (const other of referencesOf(concepts[id]!)) {
    const cycle = cycleFrom(other, concepts, { trail: [...trail, id], done });
    if (cycle) return cycle;
  }
  done.add(id);
  return undefined;
}

function placeOf(id: string, settings: ConceptText, other: string): readonly (string | number)[] {
  const keys = ["concepts", "plus", "minus", "not"] as const;
  const key = keys.find((name) => (name === "concepts" ? settings.concepts : named(settings[name])).includes(other));
  return ["concepts", id, key ?? "concepts"];
}
