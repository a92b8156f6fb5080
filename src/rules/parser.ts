import { isSenseError } from "../core/errors.js";
import type { Duration } from "../core/time.js";
import { EmbeddedActionsParser, type IToken, tokenMatcher } from "./chevrotain.js";
import { windowLength } from "./length.js";
import { limits } from "./limits.js";
import type { Problem } from "./problem.js";
import * as token from "./tokens.js";
import { type Expression, isQuantity, type Quantity, type Sign, type Signal, type Truth } from "./tree.js";

/** Where a sub-expression stands in the text that was parsed. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Piece extends Span {
  readonly tree: Expression;
}

/** Stands where a sub-expression of the wrong type stood, so that one pass finds every type error. */
const unknown: Truth = { op: "signal", sensor: "any", concept: "lost" };

export const endOf = (at: IToken): number => at.startOffset + at.image.length;

/** One method per line of the grammar in docs/rules.md, loosest operator first. */
export class RuleParser extends EmbeddedActionsParser {
  readonly problems: Problem[] = [];
  spans = new Map<Expression, Span>();

  constructor() {
    super(token.vocabulary, { recoveryEnabled: false, maxLookahead: 2 });
    this.performSelfAnalysis();
  }

  readonly sequence = this.RULE("sequence", (): Piece => {
    let left = this.SUBRULE(this.disjunction);
    this.MANY(() => {
      this.CONSUME(token.Then);
      const next = this.SUBRULE1(this.disjunction);
      this.CONSUME(token.Within);
      const limit = this.CONSUME(token.Duration);
      left = this.ACTION(() =>
        this.piece(left.from, endOf(limit), {
          op: "then",
          first: this.truth(left),
          next: this.truth(next),
          within: this.length(limit, limits.tick, "within"),
        }),
      );
    });
    return left;
  });

  private readonly disjunction = this.RULE("disjunction", (): Piece => {
    const all = [this.SUBRULE(this.conjunction)];
    this.MANY(() => {
      this.CONSUME(token.Or);
      all.push(this.SUBRULE1(this.conjunction));
    });
    return this.ACTION(() => this.join("or", all));
  });

  private readonly conjunction = this.RULE("conjunction", (): Piece => {
    const all = [this.SUBRULE(this.past)];
    this.MANY(() => {
      this.CONSUME(token.And);
      all.push(this.SUBRULE1(this.past));
    });
    return this.ACTION(() => this.join("and", all));
  });

  private readonly past = this.RULE("past", (): Piece => {
    let left = this.SUBRULE(this.negation);
    this.MANY(() => {
      this.CONSUME(token.Since);
      const from = this.SUBRULE1(this.negation);
      left = this.ACTION(() =>
        this.piece(left.from, from.to, { op: "since", hold: this.truth(left), from: this.truth(from) }),
      );
    });
    return left;
  });

  private readonly negation = this.RULE("negation", (): Piece => {
    const nots: IToken[] = [];
    this.MANY(() => {
      nots.push(this.CONSUME(token.Not));
    });
    let inner = this.SUBRULE(this.lasting);
    this.ACTION(() => {
      for (const not of nots.reverse()) {
        inner = this.piece(not.startOffset, inner.to, { op: "not", of: this.truth(inner) });
      }
    });
    return inner;
  });

  private readonly lasting = this.RULE("lasting", (): Piece => {
    let inner = this.SUBRULE(this.comparison);
    this.MANY(() => {
      this.CONSUME(token.For);
      const time = this.CONSUME(token.Duration);
      inner = this.ACTION(() =>
        this.piece(inner.from, endOf(time), { op: "always", of: this.truth(inner), within: this.length(time) }),
      );
    });
    return inner;
  });

  private readonly comparison = this.RULE("comparison", (): Piece => {
    let left = this.SUBRULE(this.operand);
    this.OPTION(() => {
      const sign = this.CONSUME(token.Sign);
      const right = this.SUBRULE1(this.operand);
      left = this.ACTION(() =>
        this.piece(left.from, right.to, {
          op: "compare",
          left: this.quantity(left),
          sign: sign.image as Sign,
          right: this.quantity(right),
        }),
      );
    });
    return left;
  });

  private readonly operand = this.RULE(
    "operand",
    (): Piece =>
      this.OR([
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.windowed) },
        { ALT: () => this.SUBRULE(this.edge) },
        { ALT: () => this.SUBRULE(this.scored) },
        {
          ALT: () => {
            const name = this.CONSUME(token.SignalText);
            return this.ACTION(() => this.piece(name.startOffset, endOf(name), this.signal(name)));
          },
        },
        {
          ALT: () => {
            const text = this.CONSUME(token.NumberText);
            return this.ACTION(() =>
              this.piece(text.startOffset, endOf(text), { op: "number", value: Number(text.image) }),
            );
          },
        },
      ]),
  );

  private readonly group = this.RULE("group", (): Piece => {
    const open = this.CONSUME(token.Open);
    const inner = this.SUBRULE(this.sequence);
    const close = this.CONSUME(token.Close);
    return this.ACTION(() => ({ tree: inner.tree, from: open.startOffset, to: endOf(close) }));
  });

  private readonly windowed = this.RULE("windowed", (): Piece => {
    const name = this.OR([
      { ALT: () => this.CONSUME(token.Once) },
      { ALT: () => this.CONSUME(token.Always) },
      { ALT: () => this.CONSUME(token.Count) },
    ]);
    this.CONSUME(token.Open);
    const inner = this.SUBRULE(this.sequence);
    this.CONSUME(token.Comma);
    const time = this.CONSUME(token.Duration);
    const close = this.CONSUME(token.Close);
    return this.ACTION(() => {
      const of = this.truth(inner);
      const op = tokenMatcher(name, token.Count) ? "count" : tokenMatcher(name, token.Once) ? "once" : "always";
      const within = op === "count" ? this.length(time, limits.tick, "count") : this.length(time);
      return this.piece(name.startOffset, endOf(close), { op, of, within });
    });
  });

  private readonly edge = this.RULE("edge", (): Piece => {
    const name = this.OR([{ ALT: () => this.CONSUME(token.Begin) }, { ALT: () => this.CONSUME(token.End) }]);
    this.CONSUME(token.Open);
    const inner = this.SUBRULE(this.sequence);
    const close = this.CONSUME(token.Close);
    return this.ACTION(() => {
      const op = tokenMatcher(name, token.Begin) ? "begin" : "end";
      return this.piece(name.startOffset, endOf(close), { op, of: this.truth(inner) });
    });
  });

  private readonly scored = this.RULE("scored", (): Piece => {
    const name = this.CONSUME(token.Score);
    this.CONSUME(token.Open);
    const of = this.CONSUME(token.SignalText);
    const close = this.CONSUME(token.Close);
    return this.ACTION(() => {
      const signal = this.signal(of);
      this.spans.set(signal, { from: of.startOffset, to: endOf(of) });
      if (signal.concept === "lost") this.report(of, "a sensor's status has no score", "Write the signal alone.");
      return this.piece(name.startOffset, endOf(close), { op: "score", of: signal });
    });
  });

  private piece(from: number, to: number, tree: Expression): Piece {
    this.spans.set(tree, { from, to });
    return { tree, from, to };
  }

  private join(op: "and" | "or", all: readonly Piece[]): Piece {
    const [first] = all;
    if (all.length === 1) return first!;
    return this.piece(first!.from, all.at(-1)!.to, { op, of: all.map((each) => this.truth(each)) });
  }

  private signal(name: IToken): Signal {
    const [sensor, concept] = name.image.split(".") as [string, string];
    return { op: "signal", sensor, concept };
  }

  private truth(piece: Piece): Truth {
    if (!isQuantity(piece.tree)) return piece.tree;
    const what = piece.tree.op === "number" ? "number" : piece.tree.op;
    this.problems.push({
      message: `a ${what} is used as a truth value`,
      hint: "Compare it with a number, for example >= 3.",
      from: piece.from,
      to: piece.to,
    });
    return unknown;
  }

  private quantity(piece: Piece): Quantity {
    if (isQuantity(piece.tree)) return piece.tree;
    const signal = piece.tree.op === "signal" ? `${piece.tree.sensor}.${piece.tree.concept}` : undefined;
    this.problems.push({
      message: "a truth value is compared with a number",
      hint: signal
        ? `Write score(${signal}) or count(${signal}, 1h).`
        : "Compare a score(…), a count(…, d) or a number.",
      from: piece.from,
      to: piece.to,
    });
    return { op: "number", value: 0 };
  }

  private length(text: IToken, least?: Duration, operator?: string): Duration {
    try {
      return windowLength(text.image, { ...(least && { least }), ...(operator && { operator }) });
    } catch (error) {
      if (!isSenseError(error, "BAD_DURATION")) throw error;
      this.report(text, error.message, error.hint);
      return limits.tick;
    }
  }

  private report(at: IToken, message: string, hint?: string): void {
    this.problems.push({ message, ...(hint !== undefined && { hint }), from: at.startOffset, to: endOf(at) });
  }
}
