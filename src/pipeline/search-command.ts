import { combine, type Term, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import { micros } from "../core/time.js";
import type { Bundle } from "../encoder/bundle.js";
import type { CheckedRequest, CommandResult } from "../publish/commands.js";
import { type SearchFilter, search } from "../space/store/search.js";
import type { Store } from "../space/store/store.js";
import { stored } from "../space/store/stored.js";

type Request = CheckedRequest<"search">;

/** At most so many stored embeddings stand for what a sensor perceived. */
const mostLike = 1000;

/** Does the `search` command: words, what a sensor perceived, and what is not meant are summed to one direction. */
export async function searchCommand(
  request: Request,
  { store, bundle, signal }: { readonly store: Store; readonly bundle: Bundle; readonly signal: AbortSignal },
): Promise<CommandResult<"search">> {
  store.flush();
  const query = combine(await termsOf(request, { store, bundle, signal }));
  const hits = await search(store, query, { top: request.top, filter: filterOf(request) });
  return { hits: hits.map(({ seq: _, ...hit }) => hit) };
}

async function termsOf(
  { text, minus, like }: Request,
  { store, bundle, signal }: { readonly store: Store; readonly bundle: Bundle; readonly signal: AbortSignal },
): Promise<readonly Term[]> {
  const [plus, less] = [[text ?? []].flat(), [minus ?? []].flat()];
  if (plus.length === 0 && like === undefined) {
    throw new SenseError("BAD_ARGUMENT", "there is nothing to look for", {
      hint: "Give `text`, or `like` with a sensor and a time.",
    });
  }
  const texts = [...plus, ...less];
  const encoded = texts.length === 0 ? [] : await bundle.encodeText(texts, "text", signal);
  const terms = encoded.map(({ vector }, i) => ({ vector, weight: i < plus.length ? 1 : -1 }));
  return like === undefined ? terms : [...terms, { vector: perceived(store, like), weight: 1 }];
}

function perceived(store: Store, { sensor, from, to }: NonNullable<Request["like"]>): UnitVector {
  const terms: Term[] = [];
  for (const { vector } of stored(store, { sensor, since: micros(from), until: micros(to) })) {
    if (terms.push({ vector, weight: 1 }) === mostLike) break;
  }
  if (terms.length > 0) return combine(terms);
  throw new SenseError("BAD_ARGUMENT", `nothing of ${sensor} is stored between ${from} and ${to}`, {
    hint: "Times are microseconds since 1970; the store forgets what is older than its maxAge.",
  });
}

/** Undefined where nothing is filtered: only then may a large store be searched by its lists. */
function filterOf({ sensor, modality, since, until }: Request): SearchFilter | undefined {
  const filter = {
    ...(sensor !== undefined && { sensor }),
    ...(modality !== undefined && { modality }),
    ...(since !== undefined && { since: micros(since) }),
    ...(until !== undefined && { until: micros(until) }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}
