/**
 * Tickets for the sockets of `wrangler tail`: the POST of Cloudflare's API asks
 * for a tail, and the socket that comes a moment later has no header to say who it
 * is. So its URL carries a secret: 256 random bits, good once and for TICKET_MS,
 * of which only the hash is kept. The hub calls both ends.
 */
import { hash } from "node:crypto";
import type { TailRequest, TailTicket } from "../contract.ts";
import { MAX_TICKETS, MAX_TICKETS_EACH, TAIL_SAID_MS, TICKET_MS } from "./limits.ts";

const SECRET_BYTES = 32;

/** Whether it could be one: 32 bytes in base64url. Anything else reaches no hub: who asks has shown nothing yet. */
export const looksLikeTailSecret = (text: string): boolean => /^[\w-]{43}$/.test(text);

export class Tickets {
  private isReady = false;

  constructor(private readonly sql: SqlStorage) {}

  /** "full": too many wait for their sockets already. */
  issue(request: TailRequest, now: number): TailTicket | "full" {
    this.prepare();
    this.sql.exec("DELETE FROM tickets WHERE expires_at <= ?", now);
    const { credential, expiresAt } = request.who;
    if (this.count() >= MAX_TICKETS || this.count(credential) >= MAX_TICKETS_EACH) return "full";
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString("base64url");
    const id = crypto.randomUUID().replaceAll("-", "");
    this.sql.exec(
      "INSERT INTO tickets (hash, id, credential, request, expires_at) VALUES (?, ?, ?, ?, ?)",
      ...[hashOf(secret), id, credential, JSON.stringify(request), now + TICKET_MS],
    );
    return { id, secret, expiresAt: expiresAt ?? now + TAIL_SAID_MS };
  }

  /** Whose ticket it is; it is used up then. Undefined for one that is unknown, used or too old. */
  take(secret: string, now: number): { id: string; request: TailRequest } | undefined {
    if (!looksLikeTailSecret(secret) || !this.hasTable()) return undefined;
    const [row] = this.sql
      .exec<TicketRow>(
        "DELETE FROM tickets WHERE hash = ? RETURNING id, request, expires_at AS expiresAt",
        hashOf(secret),
      )
      .toArray();
    if (row === undefined || row.expiresAt <= now) return undefined;
    return { id: row.id, request: JSON.parse(row.request) as TailRequest };
  }

  /** It will not come: its tail was ended before. False when there is none of this credential. */
  cancel(id: string, credential: string): boolean {
    if (!this.hasTable()) return false;
    const { rowsWritten } = this.sql.exec("DELETE FROM tickets WHERE id = ? AND credential = ?", id, credential);
    return rowsWritten > 0;
  }

  /** Those of a credential, or of its session, that has ended. */
  revoke({ credential, session }: { credential?: string; session?: string }): void {
    if (!this.hasTable()) return;
    if (credential !== undefined) this.sql.exec("DELETE FROM tickets WHERE credential = ?", credential);
    if (session !== undefined)
      this.sql.exec("DELETE FROM tickets WHERE json_extract(request, '$.who.session') = ?", session);
  }

  private count(credential?: string): number {
    const [where, values] = credential === undefined ? ["", []] : [" WHERE credential = ?", [credential]];
    return this.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM tickets${where}`, ...values).one().n;
  }

  /** Without one there are no tickets; nothing is written because somebody asks. */
  private hasTable(): boolean {
    this.isReady ||= hasTable(this.sql, "tickets");
    return this.isReady;
  }

  /** Not before it is needed: most hubs never have a tail. */
  private prepare(): void {
    if (this.isReady) return;
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS tickets (
        hash TEXT PRIMARY KEY, id TEXT NOT NULL, credential TEXT NOT NULL, request TEXT NOT NULL,
        expires_at INTEGER NOT NULL
      ) WITHOUT ROWID`,
    );
    this.isReady = true;
  }
}

/** Reads only: an object that has stored nothing stays one that costs nothing. */
export const hasTable = (sql: SqlStorage, name: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name).toArray().length > 0;

type TicketRow = { id: string; request: string; expiresAt: number };

const hashOf = (secret: string) => hash("sha256", secret, "hex");
