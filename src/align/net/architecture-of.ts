import { SenseError } from "../../core/errors.js";
import { Training, type TrainingInput } from "../../core/training.js";
import { add, normalizeRows } from "../../onnx/arithmetic.js";
import type { Body, Value } from "../../onnx/value.js";
import { adapter } from "./adapter.js";
import { type MadeEncoder, makeEncoder } from "./encoder.js";
import { lengthOf } from "./layers.js";
import { kindsIn, lora, matricesOf, refuseWhole } from "./lora.js";
import { moved } from "./moved.js";
import { type Architecture, type Net, parametersOf, partOf } from "./net.js";

/** What a network is made for. */
export interface Surroundings {
  /** Shape of one input, without the batch; of one frozen vector for a head alone. */
  readonly dims: readonly number[];
  /** Length of the embedding. */
  readonly dim: number;
  /** Graphs of the encoder that is there, one run after the other; low-rank updates need them. */
  readonly graphs?: readonly Body[];
}

/** A network as it was asked for, with all that was left out. */
export interface Designed {
  readonly architecture: Architecture;
  readonly training: Training;
  /** In words, for the card. */
  readonly text: string;
}

/** Whether only what comes behind a frozen encoder is learned, on its vectors. */
export const isHeadAlone = ({ lora, encoder }: Training): boolean => lora === undefined && encoder === undefined;

/**
 * The network of a training's design: a head on frozen vectors `[n, dim]`, low-rank updates inside the encoder that is there, an
 * encoder from nothing, or several of them as one network. Throws `BAD_ARGUMENT` where a design does not fit the inputs, and
 * `BAD_MODEL` for updates of an int8 encoder.
 */
export function designed(training: Training, { dims, dim, graphs = [] }: Surroundings): Designed {
  const { encoder, head, lora: updates, camera } = training;
  const made = encoder === undefined ? undefined : makeEncoder(encoder, dims);
  const hidden = head && (head.hidden ?? Math.max(64, Math.round(dim / 2)));
  const filled: Training = {
    ...training,
    ...(hidden !== undefined && { head: { hidden } }),
    ...(made !== undefined && { encoder: made.design }),
  };
  if (updates === undefined) {
    if (made === undefined) {
      const whose = camera === undefined ? "the frozen encoder's vector" : "the vector of the camera's own encoder";
      const text = hidden === undefined ? `${whose}, scaled and moved` : `a head of ${hidden} neurons beside ${whose}`;
      return { architecture: hidden === undefined ? moved : adapter(hidden), training: filled, text };
    }
    const ending = hidden === undefined ? "" : `, with a head of ${hidden} neurons`;
    return { architecture: made.whole({ dim, hidden }), training: filled, text: `${made.text}, from nothing${ending}` };
  }
  const inner = updated(graphs, updates, dims);
  const side = made && beside(inner.architecture, made);
  const bottom = side ?? inner.architecture;
  const architecture: Architecture =
    hidden === undefined ? bottom : (net, x) => adapter(hidden)(partOf(net, "adapter"), bottom(net, x));
  const parts = [
    inner.text,
    ...(made === undefined ? [] : [`${made.text}, from nothing, beside it`]),
    ...(hidden === undefined ? [] : [`a head of ${hidden} neurons`]),
  ];
  return { architecture, training: { ...filled, lora: inner.lora }, text: parts.join(" and ") };
}

/** The network of a training as it stands in a manifest (`designed` without the words). Throws what that throws. */
export function architectureOf(training: TrainingInput, around: Surroundings): Architecture {
  const parsed = Training.safeParse(training);
  if (parsed.success) return designed(parsed.data, around).architecture;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "training"}: ${message}`);
  throw new SenseError("BAD_ARGUMENT", `a training of no known form: ${problems.slice(0, 3).join("; ")}`, {
    hint: "Its form is that of `training` in `sensebind schema manifest`.",
  });
}

interface Updated {
  readonly architecture: Architecture;
  readonly lora: NonNullable<Training["lora"]>;
  readonly text: string;
}

/** Low-rank updates of the matrices that were asked for; of attention and MLPs where the names tell which those are. */
function updated(graphs: readonly Body[], asked: NonNullable<Training["lora"]>, dims: readonly number[]): Updated {
  refuseWhole(graphs);
  const there = kindsIn(graphs);
  const { rank, alpha = 2 * rank, matrices = there.length > 0 ? [...there] : "all" } = asked;
  const missing = matrices === "all" ? [] : matrices.filter((kind) => !there.includes(kind));
  const hint = 'Give matrices: "all".';
  if (missing.length > 0) {
    const has = there.length > 0 ? `of ${there.join(" and ")} only` : "of neither attention nor mlp";
    throw new SenseError("BAD_ARGUMENT", `the encoder has matrices with names ${has}, not of ${missing.join(", ")}`, {
      hint,
    });
  }
  const which = matrices === "all" ? undefined : matricesOf(matrices);
  const architecture = lora(graphs, { rank, alpha, ...(which && { which }) });
  const count = parametersOf((net) => void architecture(net, net.g.input("x", "float32", [1, ...dims])), 1).length / 2;
  if (count === 0) {
    throw new SenseError("BAD_ARGUMENT", "the encoder has no matrix that low-rank updates could go to", {
      hint: "Train a head on it (--train head).",
    });
  }
  const names = matrices === "all" ? "" : `${matrices.map((kind) => (kind === "mlp" ? "MLP" : kind)).join(" and ")} `;
  const text = `low-rank updates (rank ${rank}) of ${count} of the frozen encoder's ${names}matrices`;
  return { architecture, lora: { rank, alpha, matrices }, text };
}

/**
 * An encoder from nothing beside another, whose vector it moves; it begins without a say, so that the two begin as the other was
 * (side-tuning, Zhang et al., arXiv 1912.13503).
 */
const beside =
  (other: Architecture, { features }: MadeEncoder): Architecture =>
  (net: Net, x: Value) => {
    const { g } = net;
    const z = other(net, x);
    const side = features(partOf(net, "beside"), x);
    const w = net.take("beside.head.weight", [lengthOf(z, -1), lengthOf(side, -1)], { value: 0 });
    return normalizeRows(g, add(g, z, g.op("Gemm", [side, w], { transB: 1 })));
  };
