/**
 * Several statements as one D1 batch, which is one transaction. For statements
 * that drizzle's builder cannot say (`INSERT … SELECT … FROM json_each`), and
 * whose number is known only at run time; drizzle's own `batch` takes no raw SQL.
 */
import type { SQL } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { rootMessage } from "../util/error-message.ts";

const dialect = new SQLiteAsyncDialect();

/** D1 did not take the batch. Its own class, so that `api/` can tell an outage from a bug. */
export class DatabaseError extends Error {}

export function statement(d1: D1Database, query: SQL): D1PreparedStatement {
  const { sql, params } = dialect.sqlToQuery(query);
  return d1.prepare(sql).bind(...params);
}

/** The rows of each query; `R` says of which shape those of the first, of the second … are. */
export async function runBatch<R extends unknown[]>(
  d1: D1Database,
  queries: { readonly [Q in keyof R]: SQL },
): Promise<{ [Q in keyof R]: R[Q][] }> {
  const statements = (queries as readonly SQL[]).map((query) => statement(d1, query));
  if (statements.length === 0) return [] as unknown[] as { [Q in keyof R]: R[Q][] };
  const results = await d1
    .batch(statements)
    .catch((cause: unknown) => Promise.reject(new DatabaseError(rootMessage(cause), { cause })));
  return results.map((r) => r.results) as unknown[] as { [Q in keyof R]: R[Q][] };
}
