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

export async function runBatch<T = Record<string, unknown>>(d1: D1Database, queries: readonly SQL[]): Promise<T[][]> {
  if (queries.length === 0) return [];
  const results = await d1
    .batch<T>(queries.map((query) => statement(d1, query)))
    .catch((cause: unknown) => Promise.reject(new DatabaseError(rootMessage(cause), { cause })));
  return results.map((r) => r.results);
}
