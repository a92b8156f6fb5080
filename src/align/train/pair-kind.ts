import type { Architecture, Parameter } from "../net/net.js";
import type { AdamWOptions } from "./adamw.js";
import type { Schedule } from "./schedule.js";

/** The network of one modality in a joint training: `[n, ...dims]` to unit vectors `[n, dim]`. */
export interface Tower {
  readonly architecture: Architecture;
  /** Shape of one input, without the batch. */
  readonly dims: readonly number[];
  /** The most inputs of this modality that a batch holds; as many as it has moments unless given. */
  readonly rows?: number;
  /** Learns nothing; its weights stay what they are. */
  readonly frozen?: boolean;
  /** Where it begins; drawn from the seed unless given. */
  readonly weights?: readonly Parameter[];
}

/** Two modalities that are seen together, and how they are drawn to one another. */
export interface PairKind<Name extends string = string> {
  /** The first is the anchor: what the queue remembers, and by which near-identical moments are told. */
  readonly between: readonly [Name, Name];
  /** Symmetric InfoNCE unless given. */
  readonly loss?: "infonce" | "sigmoid";
  /** Embeddings of that many past anchors go with each batch as negatives; none unless given. */
  readonly queue?: number;
  /** Moments whose anchors have a greater cosine than this are no negatives of one another. */
  readonly same?: number;
  /** How much this kind's loss counts in the sum; 1 unless given. */
  readonly weight?: number;
}

export interface JointOptions<Name extends string = string> {
  readonly towers: Readonly<Record<Name, Tower>>;
  readonly kinds: readonly PairKind<NoInfer<Name>>[];
  /** The most moments in one batch. */
  readonly batch: number;
  /** One learned logit scale for all kinds of pair, or one for each, which is the default. */
  readonly scale?: "shared" | "own";
  readonly optimizer: AdamWOptions;
  readonly schedule?: Schedule;
  /** Gradients longer than this together are shortened to it. */
  readonly clip?: number;
  /** What towers without given weights begin from. */
  readonly seed?: number;
}

/** What was sensed at one moment: an input of each modality that was there. Two of a kind are a pair. */
export type Moment<Name extends string = string> = Readonly<Partial<Record<Name, Float32Array>>>;

/** "image+text". */
export const kindName = ({ between }: PairKind): string => between.join("+");

export const rowsOf = ({ towers, batch }: JointOptions, name: string): number => towers[name]!.rows ?? batch;

/** The most pairs of a kind in one batch. */
export const mostPairs = (options: JointOptions, { between: [a, b] }: PairKind): number =>
  Math.min(rowsOf(options, a), rowsOf(options, b));
