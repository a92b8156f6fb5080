import type { Stored } from "../../space/store/stored.js";
import { batches, batchSize, nameOf, pointId } from "./point.js";

export interface PgvectorOptions {
  readonly space: string;
  readonly dim: number;
  readonly table?: string | undefined;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const instant = (micros: number): string =>
  `'${new Date(micros / 1e3).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, "0")}Z'`;
/** The nine digits that tell every float32 from its neighbours. */
const literal = (vector: Float32Array): string =>
  `'[${Array.from(vector, (value) => String(Number(value.toPrecision(9)))).join(",")}]'`;

/**
 * SQL for psql that puts embeddings into a table of pgvector, in batches. It can be run again: a row that is there is
 * replaced. The table takes one space and refuses another.
 */
export function* pgvectorSql(
  items: Iterable<Stored>,
  { space, dim, table = nameOf(space) }: PgvectorOptions,
): Generator<string> {
  yield `CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS ${name(table)} (
  id uuid PRIMARY KEY,
  space text NOT NULL CHECK (space = ${quoted(space)}),
  sensor text NOT NULL,
  modality text NOT NULL,
  seq bigint NOT NULL,
  began timestamptz NOT NULL,
  ended timestamptz NOT NULL,
  embedding vector(${dim}) NOT NULL
);`;
  for (const batch of batches(items, batchSize)) {
    const rows = batch.map((item) => {
      const { sensor, modality, seq, from, to, vector } = item;
      const texts = [pointId(space, item), space, sensor, modality].map(quoted);
      return `(${[...texts, seq, instant(from), instant(to), literal(vector)].join(",")})`;
    });
    yield `INSERT INTO ${name(table)} (id, space, sensor, modality, seq, began, ended, embedding) VALUES
${rows.join(",\n")}
ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding;`;
  }
}
