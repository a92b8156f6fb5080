import { SenseError } from "../../core/errors.js";
import { type Net, type Parameter, parametersOf } from "../net/net.js";
import { logitScale, sigmoidBias } from "./loss.js";
import { type Packing, packingOf } from "./packing.js";
import { type JointOptions, kindName, type PairKind, rowsOf } from "./pair-kind.js";

/**
 * Weights that all get a gradient in a step or none of them does: a tower's, one logit scale, one bias. Each counts its own steps,
 * since the moments of what was not there have not moved (torch leaves out a parameter whose grad is None).
 */
export interface Part {
  readonly name: string;
  /** Names of its vectors in the state, without `w.`, `m.` and `v.`: one for each of the packing's tensors. */
  readonly vectors: readonly string[];
  readonly packing: Packing;
  readonly parameters: readonly Parameter[];
  readonly frozen: boolean;
}

export const towerPart = (tower: string): string => `tower.${tower}`;

/** Where a kind's logit scale or bias is: with its own, or with the one of all kinds. */
export const scalarPart = (what: "scale" | "bias", kind: PairKind, { scale = "own" }: JointOptions): string =>
  scale === "shared" ? what : `${what}.${kindName(kind)}`;

/** The parts that a batch with pairs of these kinds moves or uses. */
export function partsUsed(options: JointOptions, kinds: readonly PairKind[]): ReadonlySet<string> {
  const scales = kinds.map((kind) => scalarPart("scale", kind, options));
  const biases = kinds.filter(({ loss }) => loss === "sigmoid").map((kind) => scalarPart("bias", kind, options));
  return new Set([...kinds.flatMap(({ between }) => between.map(towerPart)), ...scales, ...biases]);
}

/** All parts as they begin, by name. Throws `BAD_ARGUMENT` for a kind of pair whose towers do not exist or do not fit. */
export function partsOf(options: JointOptions): ReadonlyMap<string, Part> {
  checkKinds(options);
  const names = new Set([...Object.keys(options.towers).map(towerPart), ...partsUsed(options, options.kinds)]);
  return new Map([...names].map((name) => [name, partOf(name, options)]));
}

function partOf(name: string, options: JointOptions): Part {
  const parameters = beginningOf(name, options);
  const packing = packingOf(parameters);
  return {
    name,
    packing,
    parameters,
    vectors: packing.tensors.map((tensor) => `${name}/${tensor.name}`),
    frozen: name.startsWith("tower.") && options.towers[name.slice("tower.".length)]!.frozen === true,
  };
}

function beginningOf(name: string, options: JointOptions): readonly Parameter[] {
  if (!name.startsWith("tower.")) return parametersOf(name.startsWith("scale") ? logitScale : sigmoidBias, 0);
  const tower = name.slice("tower.".length);
  const { architecture, dims, weights } = options.towers[tower]!;
  if (weights !== undefined) return weights;
  // The tower's name goes before its weights' names, or two towers of one form would begin as one.
  const drawn = parametersOf(({ g, take }) => {
    const named: Net = { g, take: (key, ...rest) => take(`${tower}.${key}`, ...rest) };
    architecture(named, g.input("x", "float32", [rowsOf(options, tower), ...dims]));
  }, options.seed ?? 1);
  return drawn.map((parameter) => ({ ...parameter, name: parameter.name.slice(tower.length + 1) }));
}

function checkKinds(options: JointOptions): void {
  const seen = new Set<string>();
  for (const kind of options.kinds) {
    const name = kindName(kind);
    const stranger = kind.between.find((tower) => options.towers[tower] === undefined);
    if (stranger !== undefined)
      throw new SenseError("BAD_ARGUMENT", `there is no tower ${stranger} for pairs of ${name}`);
    if (kind.between[0] === kind.between[1]) {
      throw new SenseError("BAD_ARGUMENT", `pairs of ${name} are of one tower: a moment has one input of each`);
    }
    if (seen.has(name)) throw new SenseError("BAD_ARGUMENT", `pairs of ${name} are listed twice`);
    seen.add(name);
  }
  if (seen.size === 0) throw new SenseError("BAD_ARGUMENT", "a joint training needs at least one kind of pair");
}
