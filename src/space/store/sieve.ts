import { pieceRows } from "./code-memory.js";
import type { CodedSegment } from "./coded-segment.js";
import type { CodedQuery } from "./codes.js";
import type { Segment } from "./segment.js";

/** A row that may be among the best: its cosine is at most `upper`. */
export interface Candidate {
  readonly segment: Segment;
  readonly row: number;
  readonly upper: number;
}

/** What float32 rounds away in a product, beside what the codes leave out. */
const rounding = 1e-6;

/**
 * Finds the rows that may be among the `top` best from their codes alone: for each, the product of the codes and how far
 * the truth can be from it. A row is out when `top` others are certainly better.
 */
export class Sieve {
  readonly #query: CodedQuery;
  readonly #top: number;
  readonly #slack: number;
  /** Lower bounds of the best so far, the highest first. */
  readonly #bounds: number[] = [];
  #bar = Number.NEGATIVE_INFINITY;
  #candidates: Candidate[] = [];

  constructor(query: CodedQuery, top: number) {
    this.#query = query;
    this.#top = top;
    this.#slack = query.error + rounding;
  }

  /** Goes through the places `[first, end)` of a segment; `passes` says which of its rows count. A hot loop. */
  take(coded: CodedSegment, [first, end]: readonly [number, number], passes?: (row: number) => boolean): void {
    const { scale, length } = this.#query;
    const { errors, matrix, memory, segment } = coded;
    for (let from = first; from < end; from += pieceRows) {
      const products = memory.products(matrix, from, Math.min(pieceRows, end - from));
      for (let i = 0; i < products.length; i++) {
        const product = products[i]! * scale;
        const slack = errors[from + i]! * length + this.#slack;
        if (product + slack < this.#bar) continue;
        const row = coded.rowAt(from + i);
        if (passes && !passes(row)) continue;
        this.#candidates.push({ segment, row, upper: product + slack });
        this.#raise(product - slack);
      }
    }
  }

  /** The rows that are still possible, the most promising first. */
  get candidates(): readonly Candidate[] {
    const possible = this.#candidates.filter(({ upper }) => upper >= this.#bar);
    return possible.sort((a, b) => b.upper - a.upper);
  }

  #raise(lower: number): void {
    if (lower <= this.#bar) return;
    let at = this.#bounds.length;
    while (at > 0 && this.#bounds[at - 1]! < lower) at--;
    this.#bounds.splice(at, 0, lower);
    if (this.#bounds.length > this.#top) this.#bounds.pop();
    if (this.#bounds.length === this.#top) this.#bar = this.#bounds.at(-1)!;
    // The list of those who were possible once would grow with the store.
    if (this.#candidates.length > 4096 + 8 * this.#top) {
      this.#candidates = this.#candidates.filter(({ upper }) => upper >= this.#bar);
    }
  }
}
