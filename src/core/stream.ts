/** Puts one value in front of another: the state of a source that `merge` or `interleave` pulls from. */
interface Head<T> {
  readonly source: AsyncIterator<T>;
  next: Promise<IteratorResult<T>> | undefined;
}

const open = <T>(sources: readonly AsyncIterable<T>[]): Head<T>[] =>
  sources.map((source) => ({ source: source[Symbol.asyncIterator](), next: undefined }));

/** Lets every source end by itself; the first failure among them wins over an ordinary end. */
async function close<T>(heads: readonly Head<T>[]): Promise<void> {
  await Promise.all(heads.map((head) => head.source.return?.()));
}

/**
 * Values of several sources as they come. Each source is at most one value ahead, so a slow reader slows the sources and
 * nothing piles up here. The first source that fails ends the whole; `stop` must then make the others end, so that they
 * can be closed.
 */
export async function* merge<T>(sources: readonly AsyncIterable<T>[], stop: () => void = () => {}): AsyncGenerator<T> {
  const ready: { head: Head<T>; result: IteratorResult<T> }[] = [];
  let failure: { error: unknown } | undefined;
  let wake = (): void => {};
  const pull = (head: Head<T>): void => {
    head.source.next().then(
      (result) => {
        ready.push({ head, result });
        wake();
      },
      (error: unknown) => {
        failure ??= { error };
        wake();
      },
    );
  };
  const heads = open(sources);
  let running = heads.length;
  for (const head of heads) pull(head);
  try {
    while (running > 0) {
      const first = ready.shift();
      if (first?.result.done) running -= 1;
      else if (first) {
        yield first.result.value;
        pull(first.head);
      } else if (failure) throw failure.error;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stop();
    await close(heads);
  }
}

/**
 * Values of several sources in the order of `time`, ties in the order of the sources: the same sources give the same
 * sequence whatever their speed. It waits for the slowest, so it is for recordings, not for live sensors.
 */
export async function* interleave<T>(
  sources: readonly AsyncIterable<T>[],
  time: (value: T) => number,
): AsyncGenerator<T> {
  let heads = open(sources);
  try {
    while (heads.length > 0) {
      for (const head of heads) head.next ??= head.source.next();
      const results = await Promise.all(heads.map((head) => head.next!));
      let earliest = -1;
      for (let i = 0; i < results.length; i++) {
        const result = results[i]!;
        if (result.done) continue;
        const best = results[earliest];
        if (!best || best.done || time(result.value) < time(best.value)) earliest = i;
      }
      const found = results[earliest];
      if (!found || found.done) return;
      heads[earliest]!.next = undefined;
      heads = heads.filter((_, i) => !results[i]!.done);
      yield found.value;
    }
  } finally {
    await close(heads);
  }
}

/** Runs `transform` on up to `ahead` values at once and yields the results in the order of the values. */
export async function* mapAhead<T, U>(
  source: AsyncIterable<T>,
  ahead: number,
  transform: (value: T) => Promise<U>,
): AsyncGenerator<U> {
  const running: Promise<U>[] = [];
  const settle = (work: Promise<U>): Promise<U> => {
    // A later failure must not count as unhandled while an earlier result is awaited.
    work.catch(() => {});
    return work;
  };
  for await (const value of source) {
    running.push(settle(transform(value)));
    if (running.length >= ahead) yield await running.shift()!;
  }
  while (running.length > 0) yield await running.shift()!;
}

/** Lets values pass and shows each to an onlooker first. */
export async function* watched<T>(source: AsyncIterable<T>, look: (value: T) => void): AsyncGenerator<T> {
  for await (const value of source) {
    look(value);
    yield value;
  }
}
