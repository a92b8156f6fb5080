/** Next evaluation of each rule, as a binary heap over rule numbers: at most one entry a rule, earliest first. */
export class Deadlines {
  private readonly times: Float64Array;
  private readonly heap: Int32Array;
  private readonly places: Int32Array;
  private size = 0;

  constructor(rules: number) {
    this.times = new Float64Array(rules).fill(Number.POSITIVE_INFINITY);
    this.heap = new Int32Array(rules);
    this.places = new Int32Array(rules).fill(-1);
  }

  /** The earliest time; Infinity if nothing is due. */
  get next(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.times[this.heap[0]!]!;
  }

  /** The rule whose time is earliest. */
  get rule(): number {
    return this.heap[0]!;
  }

  of(rule: number): number {
    return this.times[rule]!;
  }

  /** Sets when a rule is due, Infinity for never. Allocates nothing. */
  set(rule: number, time: number): void {
    const before = this.times[rule]!;
    if (time === before) return;
    this.times[rule] = time;
    if (before === Number.POSITIVE_INFINITY) {
      this.put(rule, this.size++);
      this.rise(this.places[rule]!);
    } else if (time === Number.POSITIVE_INFINITY) {
      this.remove(rule);
    } else if (time < before) this.rise(this.places[rule]!);
    else this.sink(this.places[rule]!);
  }

  private put(rule: number, place: number): void {
    this.heap[place] = rule;
    this.places[rule] = place;
  }

  private remove(rule: number): void {
    const place = this.places[rule]!;
    const last = this.heap[--this.size]!;
    this.places[rule] = -1;
    if (last === rule) return;
    this.put(last, place);
    this.rise(place);
    this.sink(this.places[last]!);
  }

  private rise(from: number): void {
    const rule = this.heap[from]!;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = this.heap[above]!;
      if (this.times[other]! <= this.times[rule]!) break;
      this.put(other, place);
      place = above;
    }
    this.put(rule, place);
  }

  private sink(from: number): void {
    const rule = this.heap[from]!;
    let place = from;
    for (;;) {
      let below = place * 2 + 1;
      if (below >= this.size) break;
      if (below + 1 < this.size && this.times[this.heap[below + 1]!]! < this.times[this.heap[below]!]!) below++;
      const other = this.heap[below]!;
      if (this.times[other]! >= this.times[rule]!) break;
      this.put(other, place);
      place = below;
    }
    this.put(rule, place);
  }
}
