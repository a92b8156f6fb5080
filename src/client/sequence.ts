/** Messages of a node that never came. */
export interface Gap {
  readonly node: string;
  /** The first and the last `seq` that are missing. */
  readonly from: number;
  readonly to: number;
}

/** Gaps that are remembered for each node, so that a message that comes late is not taken for a restart. */
const mostGaps = 1000;

/** Follows the `seq` of the messages of nodes. */
export class Sequences {
  readonly #nodes = new Map<string, { next: number; gaps: Gap[] }>();

  /** Notes a message that was not seen before; gives the gap in front of it, if there is one. */
  note(node: string, seq: number): Gap | undefined {
    const known = this.#nodes.get(node);
    if (known === undefined) {
      this.#nodes.set(node, { next: seq + 1, gaps: [] });
      return undefined;
    }
    const { next, gaps } = known;
    if (seq < next) {
      // Either one that was missed comes late, or the node lost its count and began anew.
      const late = gaps.some(({ from, to }) => from <= seq && seq <= to);
      if (!late) this.#nodes.set(node, { next: seq + 1, gaps: [] });
      return undefined;
    }
    known.next = seq + 1;
    if (seq === next) return undefined;
    const gap = { node, from: next, to: seq - 1 };
    gaps.push(gap);
    if (gaps.length > mostGaps) gaps.shift();
    return gap;
  }
}
