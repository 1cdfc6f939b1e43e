/**
 * Fingerprint → number of its issue, for links in what is sent. `io.ts` asks for
 * each error; those that ask at the same time share one statement, and what is
 * found is kept for a while per isolate. An error may be delivered before its
 * issue is made (seconds): that there is none is believed for a moment only.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprints } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { Kept } from "./kept.ts";

/** People merge and split issues: a link that is older than this leads to the right page by the fingerprint's new issue soon enough. */
const KEPT_MS = 5 * 60_000;
const NONE_KEPT_MS = 3_000;
const MAX_KEPT = 10_000;
/** Fingerprint, number and entry. */
const ENTRY_BYTES = 200;
/** A link is not worth a longer wait. */
const D1_TIMEOUT_MS = 2_000;
/** Fingerprints of one statement: its text parameter stays far below D1's limits. */
const MAX_ASKED = 500;

/** Of the isolate. */
const numbers = new Kept<number | null>(MAX_KEPT, MAX_KEPT * ENTRY_BYTES);

type Asked = Map<string, Promise<number | null>>;

export class IssueNumbers {
  readonly #d1: D1Database;
  /** Asked in this turn, and under way. */
  readonly #asked: Asked = new Map();
  #gathering: { names: string[]; answers: Promise<Map<string, number>> } | undefined;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  /** Never rejects: null when it cannot be told. */
  async of(fingerprint: string): Promise<number | null> {
    const kept = numbers.get(fingerprint, Date.now());
    if (kept !== undefined) return kept;
    const under = this.#asked.get(fingerprint);
    if (under !== undefined) return under;
    const asked = this.#ask(fingerprint).finally(() => this.#asked.delete(fingerprint));
    this.#asked.set(fingerprint, asked);
    return asked;
  }

  async #ask(fingerprint: string): Promise<number | null> {
    if (this.#gathering === undefined || this.#gathering.names.length >= MAX_ASKED) {
      const names: string[] = [];
      const answers = Promise.resolve().then(() => {
        if (this.#gathering?.names === names) this.#gathering = undefined;
        return this.#read(names);
      });
      this.#gathering = { names, answers };
    }
    const { names, answers } = this.#gathering;
    names.push(fingerprint);
    const found = await answers.catch((error: unknown) => {
      console.warn(`issues of fingerprints: ${rootMessage(error)}`);
      return new Map<string, number>();
    });
    const number = found.get(fingerprint) ?? null;
    numbers.set(fingerprint, number, ENTRY_BYTES, Date.now() + (number === null ? NONE_KEPT_MS : KEPT_MS));
    return number;
  }

  async #read(names: readonly string[]): Promise<Map<string, number>> {
    const query = runBatch<[{ fingerprint: string; issue: number }]>(this.#d1, [
      sql`SELECT fingerprint, issue_id AS issue FROM ${fingerprints}
        WHERE fingerprint IN (SELECT value FROM json_each(${JSON.stringify(names)}))`,
    ]);
    const [rows] = await within(D1_TIMEOUT_MS, "D1", query);
    return new Map(rows.map(({ fingerprint, issue }) => [fingerprint, issue]));
  }
}
