import { existsSync } from "node:fs";
import { join } from "node:path";
import { normalize, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Duration } from "../core/time.js";
import { recordedSensors } from "../device/replay.js";
import type { Bundle } from "../encoder/bundle.js";
import { meanOf } from "../encoder/mean.js";
import { recordedEmbeddings } from "../pipeline/recorded.js";
import { Store } from "../space/store/store.js";
import { encodeFiles } from "./encode-files.js";
import type { SeriesFlags } from "./options.js";

type Sensed = Exclude<Modality, "text">;

/** Vectors of files, each the mean of its windows. Throws what is wrong with the first that cannot be used. */
export async function fileVectors(
  bundle: Bundle,
  paths: readonly string[],
  way: SeriesFlags & { readonly modality: Sensed },
): Promise<readonly UnitVector[]> {
  const vectors: UnitVector[] = [];
  for await (const result of encodeFiles(bundle, paths, way)) {
    if ("error" in result) throw result.error;
    vectors.push(result.encoded.vector);
  }
  return vectors;
}

export interface Span {
  readonly recording: string;
  readonly sensor: string;
  readonly from: Duration;
  readonly to: Duration;
}

/** One example, the mean of the windows of a span counted from the first reading; all windows that have nothing of it are background. */
export async function spanVectors(bundle: Bundle, { recording, sensor, from, to }: Span) {
  const within: UnitVector[] = [];
  const background: UnitVector[] = [];
  let start: number | undefined;
  for await (const embedding of recordedEmbeddings(recording, bundle, { sensor })) {
    start ??= embedding.from;
    const [begin, end] = [embedding.from - start, embedding.to - start];
    if (begin < to && end > from) within.push(embedding.vector);
    else background.push(embedding.vector);
  }
  if (within.length === 0) {
    throw new SenseError(
      "BAD_ARGUMENT",
      `${sensor} has no window from ${from / 1e6} to ${to / 1e6} s of ${recording}`,
      {
        hint: "--from and --to are counted from the sensor's first reading.",
      },
    );
  }
  return { example: meanOf(within, 1).vector, background };
}

/** Background windows of files, recordings (their sensors of the modality) and stores. */
export async function backgroundVectors(
  bundle: Bundle,
  sources: readonly string[],
  way: SeriesFlags & { readonly modality: Sensed },
): Promise<readonly UnitVector[]> {
  const files: string[] = [];
  const vectors: UnitVector[] = [];
  for (const source of sources) {
    if (existsSync(join(source, "store.json"))) vectors.push(...storedVectors(bundle, source, way.modality));
    else if (source.endsWith(".mcap")) {
      for (const [sensor, { modality }] of Object.entries(await recordedSensors(source))) {
        if (modality !== way.modality) continue;
        for await (const { vector } of recordedEmbeddings(source, bundle, { sensor })) vectors.push(vector);
      }
    } else files.push(source);
  }
  return [...vectors, ...(await fileVectors(bundle, files, way))];
}

function* storedVectors(bundle: Bundle, folder: string, modality: Sensed): Generator<UnitVector> {
  const { dim } = bundle.manifest;
  const store = Store.open(folder, { id: bundle.space, dim });
  for (const segment of store.segments) {
    const matrix = segment.vectors();
    for (let i = 0; i < segment.count; i++) {
      if (segment.row(i).modality === modality) yield normalize(matrix.subarray(i * dim, (i + 1) * dim));
    }
  }
}
