import { SenseError } from "../core/errors.js";
import type { DataType } from "./types.js";
import type { Node, Shape, Value } from "./value.js";

/** What is known of an output. */
export interface Fact {
  readonly type?: DataType | undefined;
  readonly shape?: Shape | undefined;
}

/** What a node makes of its inputs. */
export type Rule = (node: Node, inputs: readonly (Value | undefined)[], outputs: number) => readonly Fact[];

export const mismatch = ({ op, name }: Node, why: string): never => {
  throw new SenseError("MODEL_MISMATCH", `${op} (${name}): ${why}`);
};

export const shapeText = (shape: Shape): string => `[${shape.join(", ")}]`;
