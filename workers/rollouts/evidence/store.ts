/**
 * The guard's SQLite, as far as evidence is concerned. A look writes its cells
 * and how far it has read in one transaction: whatever is lost in between, each
 * log entry is counted once. Everything is kept by rollout until it is forgotten.
 *
 *   evidence_parts  rollout, name → JSON: `head` (subject, cursors, what is left out), `ticks`, `deaths`, `settled`
 *   evidence_cells  rollout, cell key → JSON of a Cell
 *   evidence_hits   rollout, gate, minute, part, arm → invocations that match
 */
import type { QueryGate } from "../../api/contract.ts";
import type { Arm, Cell, QueryCell, Settled } from "../contract.ts";
import { CLUMPS_S, HOURS_KEPT_MS } from "./limits.ts";
import type { Answered } from "./queries.ts";
import { type Counted, type LeftOut, NOTHING_LEFT_OUT, type Step, type Subject, type Tick } from "./sum.ts";

export interface Head {
  subject: Subject;
  queries: readonly QueryGate[];
  /** Absent: of a release before; they do. */
  decidesIssues?: boolean;
  /** Shard → last log entry that is counted. */
  cursors: Readonly<Record<string, number>>;
  objects: readonly string[];
  leftOut: LeftOut;
  newest: Record<Arm, number | null>;
  /** Seconds: up to there query gates are answered for good. */
  askedThrough: number;
}

type PartName = "head" | "ticks" | "deaths" | "settled";

/** Seconds: what is settled of query gates, and so old that clumps are not learnt from it any more, goes. */
export const hitsFrom = ({ queriesUntil }: Settled): number => queriesUntil - CLUMPS_S;

export class EvidenceStore {
  constructor(private readonly storage: DurableObjectStorage) {
    const { sql } = storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS evidence_parts (rollout TEXT, name TEXT, value TEXT, PRIMARY KEY (rollout, name)) WITHOUT ROWID",
    );
    sql.exec(
      "CREATE TABLE IF NOT EXISTS evidence_cells (rollout TEXT, key TEXT, minute INTEGER, cell TEXT, PRIMARY KEY (rollout, key)) WITHOUT ROWID",
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS evidence_hits (rollout TEXT, gate TEXT, minute INTEGER, part INTEGER, arm TEXT, n REAL, hits REAL,
        PRIMARY KEY (rollout, gate, minute, part, arm)) WITHOUT ROWID`,
    );
  }

  /** The rollout that was begun last and is not forgotten. */
  latest(): Head | undefined {
    const heads = this.storage.sql
      .exec<{ value: string }>("SELECT value FROM evidence_parts WHERE name = 'head'")
      .toArray()
      .map(({ value }) => JSON.parse(value) as Head);
    return heads.sort((a, b) => b.subject.since - a.subject.since)[0];
  }

  head(rollout: string): Head | undefined {
    return this.part<Head>(rollout, "head");
  }

  begin(head: Head): void {
    this.write(head.subject.id, "head", head);
  }

  counted(head: Head): Counted {
    const { id } = head.subject;
    const cells = new Map<string, Cell>();
    for (const { key, cell } of this.storage.sql.exec<{ key: string; cell: string }>(
      "SELECT key, cell FROM evidence_cells WHERE rollout = ?",
      id,
    )) {
      cells.set(key, JSON.parse(cell) as Cell);
    }
    const settled = this.part<Settled>(id, "settled");
    return {
      cells,
      ticks: new Map(this.part<[number, Tick][]>(id, "ticks") ?? []),
      deaths: new Map(this.part<[string, number[]][]>(id, "deaths") ?? []),
      objects: new Set(head.objects),
      leftOut: { ...NOTHING_LEFT_OUT, ...head.leftOut },
      newest: head.newest,
      ...(settled === undefined ? {} : { settled }),
    };
  }

  /** All of a step, or nothing. */
  save(head: Head, { counted, changed }: Step, before: Counted): void {
    const { id } = head.subject;
    this.storage.transactionSync(() => {
      this.write(id, "head", head);
      if (changed.size > 0) this.write(id, "ticks", [...counted.ticks]);
      if (counted.deaths !== before.deaths) this.write(id, "deaths", [...counted.deaths]);
      const { settled } = counted;
      if (settled !== undefined && settled !== before.settled) {
        this.write(id, "settled", settled);
        this.storage.sql.exec("DELETE FROM evidence_hits WHERE rollout = ? AND minute < ?", id, hitsFrom(settled));
      }
      for (const key of changed) {
        const cell = counted.cells.get(key);
        if (cell === undefined)
          this.storage.sql.exec("DELETE FROM evidence_cells WHERE rollout = ? AND key = ?", id, key);
        else {
          this.storage.sql.exec(
            "INSERT OR REPLACE INTO evidence_cells VALUES (?, ?, ?, ?)",
            id,
            key,
            cell.minute,
            JSON.stringify(cell),
          );
        }
      }
    });
  }

  queryCells(rollout: string): QueryCell[] {
    return this.storage.sql
      .exec<{ gate: string; minute: number; part: number; arm: Arm; n: number; hits: number }>(
        "SELECT gate, minute, part, arm, n, hits FROM evidence_hits WHERE rollout = ? ORDER BY minute",
        rollout,
      )
      .toArray()
      .map(({ part, ...cell }) => (part === 0 ? cell : { ...cell, part }));
  }

  /** Replaces what is known of those minutes. */
  saveQueries(head: Head, { since, until, cells }: Pick<Answered, "since" | "until" | "cells">): void {
    const { id } = head.subject;
    const { sql } = this.storage;
    this.storage.transactionSync(() => {
      sql.exec("DELETE FROM evidence_hits WHERE rollout = ? AND minute >= ? AND minute < ?", id, since, until);
      sql.exec("DELETE FROM evidence_hits WHERE rollout = ? AND minute < ?", id, since - HOURS_KEPT_MS / 1000);
      for (const { gate, minute, part, arm, n, hits } of cells) {
        sql.exec(
          "INSERT OR REPLACE INTO evidence_hits VALUES (?, ?, ?, ?, ?, ?, ?)",
          id,
          gate,
          minute,
          part ?? 0,
          arm,
          n,
          hits,
        );
      }
      this.write(id, "head", head);
    });
  }

  forget(rollout: string): void {
    this.storage.transactionSync(() => {
      for (const table of ["parts", "cells", "hits"]) {
        this.storage.sql.exec(`DELETE FROM evidence_${table} WHERE rollout = ?`, rollout);
      }
    });
  }

  private part<T>(rollout: string, name: PartName): T | undefined {
    const [row] = this.storage.sql
      .exec<{ value: string }>("SELECT value FROM evidence_parts WHERE rollout = ? AND name = ?", rollout, name)
      .toArray();
    return row === undefined ? undefined : (JSON.parse(row.value) as T);
  }

  private write(rollout: string, name: PartName, value: unknown): void {
    this.storage.sql.exec(
      "INSERT OR REPLACE INTO evidence_parts VALUES (?, ?, ?)",
      rollout,
      name,
      JSON.stringify(value),
    );
  }
}
