/**
 * Applies migrations/*.sql to the local D1 through its binding, with the same
 * book-keeping table as `wrangler d1 migrations apply`, which takes seconds
 * where this takes milliseconds.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Complaint } from "../lib/complaint.mjs";

const BREAK = "--> statement-breakpoint";

/** @returns {Promise<string[]>} names of the migrations that were applied now */
export async function migrate(db, dir) {
  await db
    .prepare(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )
    .run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row) => row.name));
  const pending = readdirSync(dir)
    .filter((name) => name.endsWith(".sql") && !applied.has(name))
    .sort();
  for (const name of pending) {
    const statements = readFileSync(join(dir, name), "utf8").split(BREAK).map(withoutComments).filter(Boolean);
    try {
      // One batch is one transaction: a migration is there as a whole or not at all.
      await db.batch([
        ...statements.map((sql) => db.prepare(sql)),
        db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
      ]);
    } catch (error) {
      throw new Complaint(
        `migration ${name} failed: ${error.message}; if the data is from an older checkout, start with --fresh`,
      );
    }
  }
  return pending;
}

function withoutComments(sql) {
  return sql.replace(/^\s*--.*$/gm, "").trim();
}
