import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import type { Bundle } from "../encoder/bundle.js";
import type { CommandHandlers } from "../publish/commands.js";
import { describeRule, RuleText } from "../rules/schema.js";
import { ConceptText, describeConcept } from "../space/schema.js";
import type { Store } from "../space/store/store.js";
import { refuseForeignExamples } from "./examples.js";
import { searchCommand } from "./search-command.js";
import type { Settings } from "./settings.js";

export interface CommandParts {
  readonly settings: Settings;
  readonly bundle: Bundle;
  readonly store: Store | undefined;
}

/** The schemas of what commands may set: those of the configuration file. */
export const settable = { concept: ConceptText, rule: RuleText } as const;

/** What a running node does on command. Concepts and rules that do not check change nothing. */
export function commandHandlers({ settings, bundle, store }: CommandParts): CommandHandlers {
  return {
    "concepts/list": () => ({ concepts: mapValues(settings.concepts, describeConcept) }),
    "concepts/set": async ({ name, concept }) => {
      refuseForeignExamples(concept as ConceptText);
      await settings.use(({ concepts }) => ({ concepts: { ...concepts, [name]: concept as ConceptText } }));
      return {};
    },
    "concepts/remove": async ({ name }) => {
      await settings.use(({ concepts }) => ({ concepts: without(concepts, name, "concept") }));
      return {};
    },
    "rules/list": () => ({ rules: mapValues(settings.rules, describeRule) }),
    "rules/set": async ({ name, rule }) => {
      await settings.use(({ rules }) => ({ rules: { ...rules, [name]: rule as RuleText } }));
      return {};
    },
    "rules/remove": async ({ name }) => {
      await settings.use(({ rules }) => ({ rules: without(rules, name, "rule") }));
      return {};
    },
    embed: async ({ text }, signal) => {
      const [encoded] = await bundle.encodeText([text], "text", signal);
      return { space: bundle.space, vector: [...encoded!.vector] };
    },
    ...(store && { search: (request, signal) => searchCommand(request, { store, bundle, signal }) }),
  };
}

const mapValues = <T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));

function without<T>(values: Readonly<Record<string, T>>, name: string, what: string): Record<string, T> {
  if (!Object.hasOwn(values, name)) {
    const near = nearest(name, Object.keys(values));
    throw new SenseError("BAD_ARGUMENT", `there is no ${what} "${name}"`, {
      hint: near ? `Did you mean "${near}"?` : `There are: ${Object.keys(values).join(", ") || "none"}.`,
    });
  }
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
}
