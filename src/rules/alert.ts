import type { Cells } from "./evaluate.js";
import type { Followed, Lasting } from "./follow.js";
import { limits } from "./limits.js";
import type { CompiledRule, Named } from "./program.js";

/** One rule cannot begin twice at one time, so node, rule and begin time name an alert, on a replay as live. */
export const alertId = (node: string, rule: string, at: number): string => `${node}:${rule}:${at}`;

/** The scores and counts that a rule compares, as they are now. */
export function valuesOf({ values }: CompiledRule, cells: Cells): Record<string, number> {
  return Object.fromEntries(values.map(([text, node]) => [text, cells.values[node]!]));
}

/**
 * Ids of the events of the named signals that are true at `at` or became true within the rule's windows, oldest first;
 * the newest `limits.because` of them. A sensor's status is no event.
 */
export function because({ names }: CompiledRule, followed: readonly Followed[], at: number): readonly string[] {
  const causes: Lasting[] = [];
  for (const named of names) {
    if (!named.evidence) continue;
    const { open, ended } = followed[named.slot]!;
    for (const each of ended) if (counts(each, named, at)) causes.push(each);
    causes.push(...open);
  }
  causes.sort(byAge);
  return [...new Set(causes.map(idOf))].slice(-limits.because);
}

const byAge = (a: Lasting, b: Lasting): number => a.from - b.from || (a.id < b.id ? -1 : 1);
const idOf = ({ id }: Lasting): string => id;

const counts = ({ from, to }: Lasting, { reach, endReach }: Named, at: number): boolean =>
  from >= at - reach || (endReach >= 0 && to! >= at - endReach);
