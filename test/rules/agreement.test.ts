import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/rules/compile.js";
import type { Input } from "../../src/rules/input.js";
import { parse } from "../../src/rules/parse.js";
import { print } from "../../src/rules/print.js";
import { engine, restore, save } from "../../src/rules/save.js";
import { initial, step } from "../../src/rules/step.js";
import { naive } from "./naive.js";
import { patience, rules, trace, truth } from "./random.js";

/** Cases of the comparison with the oracle; SENSEBIND_CASES=5000000 runs it over a night. */
const cases = Number(process.env.SENSEBIND_CASES ?? 100_000);
const end: Input = { kind: "end" };

describe("random rules over random traces", () => {
  test(`the engine gives every alert that the definitions give, and no other (${cases} cases)`, {
    timeout: 3_600_000,
  }, () => {
    fc.assert(
      fc.property(rules, trace, patience, fc.nat(30), (list, inputs, patient, cut) => {
        const compiled = compile(list);
        let running = engine(compiled, { ...patient, node: "n" });
        const alerts = [...inputs, end].flatMap((input, i) => {
          // A run that is saved and restored in the middle goes on as if nothing had happened.
          if (i === cut) running = restore(compiled, JSON.parse(JSON.stringify(save(running))), patient);
          return running.push(input);
        });
        const expected = naive(list, inputs, patient).map((alert, seq) => ({ ...alert, seq }));
        expect(alerts).toEqual(expected);
      }),
      { numRuns: cases, ...(process.env.SENSEBIND_SEED && { seed: Number(process.env.SENSEBIND_SEED) }) },
    );
  });

  test("the pure step gives the alerts of the engine and changes no state it was given", () => {
    fc.assert(
      fc.property(rules, trace, patience, (list, inputs, options) => {
        const machine = { compiled: compile(list), options };
        const running = engine(machine.compiled, options);
        let state = initial(machine);
        for (const input of [...inputs, end]) {
          const before = JSON.stringify(state);
          const [next, alerts] = step(machine, state, input);
          expect(alerts).toEqual(running.push(input));
          expect(next).toEqual(save(running));
          expect(JSON.stringify(state)).toBe(before);
          state = next;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("printing and parsing again gives the same tree", () => {
    fc.assert(
      fc.property(truth, (tree) => {
        const parsed = parse(print(tree));
        expect(parsed.ok && parsed.tree).toEqual(tree);
      }),
      { numRuns: 10_000 },
    );
  });
});
