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
  const causes = names
    .filter(({ evidence }) => evidence)
    .flatMap((named) => {
      const { open, ended } = followed[named.slot]!;
      return [...ended.filter((each) => counts(each, named, at)), ...open];
    });
  causes.sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1));
  return [...new Set(causes.map(({ id }) => id))].slice(-limits.because);
}

const counts = ({ from, to }: Lasting, { reach, endReach }: Named, at: number): boolean =>
  from >= at - reach || (endReach >= 0 && to! >= at - endReach);
