/** Tickets for the sockets of `wrangler tail`, and what lets a tail go on after its connection was lost. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type TailRequest, tailHub } from "../../../workers/live/contract.ts";
import { TRACE_RETURN_MS } from "../../../workers/live/limits.ts";
import { Departures } from "../../../workers/live/trace/departures.ts";
import { MAX_TICKETS_EACH, TAIL_SAID_MS, TICKET_MS } from "../../../workers/live/trace/limits.ts";
import { Tickets } from "../../../workers/live/trace/tickets.ts";

const NOW = 1_795_300_000_000;
const requestOf = (credential = "token a", more: Partial<TailRequest> = {}): TailRequest => ({
  ...{ script: "shop", filters: [{ query: "a" }], clientIp: "192.0.2.1", who: { credential } },
  ...more,
});

let names = 0;
/** With storage of its own. */
const inHub = <T>(run: (sql: SqlStorage) => T) =>
  runInDurableObject(env.LIVE.getByName(tailHub(`tickets ${names++}`)), (_, { storage }) => run(storage.sql));

const cursor = { shop: "12.40" };

/** One life of a hub, with its sockets; another one on the same storage begins with none. */
function departuresOf(sql: SqlStorage, startedAt = NOW, where = () => ({})) {
  const open = new Set<string>();
  const departures = new Departures(sql, (id) => open.has(id), startedAt);
  return {
    departures,
    arrive(id: string, now: number, request = requestOf()) {
      open.add(id);
      return departures.arrive(id, request, where, now);
    },
    leave(id: string, by: "hub" | "client", now: number) {
      open.delete(id);
      departures.leave(id, cursor, by, now);
    },
  };
}

describe("a ticket", () => {
  it("is good once", () =>
    inHub((sql) => {
      const tickets = new Tickets(sql);
      const ticket = tickets.issue(requestOf(), NOW);
      if (ticket === "full") throw new Error("full");
      expect(ticket.expiresAt).toBe(NOW + TAIL_SAID_MS);
      expect(tickets.take(ticket.secret, NOW + 1)).toEqual({ id: ticket.id, request: requestOf() });
      expect(tickets.take(ticket.secret, NOW + 2)).toBeUndefined();
    }));

  it("is good for a minute, and then not any more", () =>
    inHub((sql) => {
      const tickets = new Tickets(sql);
      const [late, early] = [tickets.issue(requestOf(), NOW), tickets.issue(requestOf(), NOW)];
      if (late === "full" || early === "full") throw new Error("full");
      expect(tickets.take(early.secret, NOW + TICKET_MS - 1)?.id).toBe(early.id);
      expect(tickets.take(late.secret, NOW + TICKET_MS)).toBeUndefined();
    }));

  it("ends with what let it in", () =>
    inHub((sql) => {
      const tickets = new Tickets(sql);
      const who = { credential: "token a", session: "s", expiresAt: NOW + 5 };
      const [ofToken, ofSession] = [requestOf(), requestOf("token b", { who })].map((r) => tickets.issue(r, NOW));
      if (ofToken === "full" || ofSession === "full") throw new Error("full");
      expect(ofSession?.expiresAt).toBe(NOW + 5);
      tickets.revoke({ credential: "token a" });
      tickets.revoke({ session: "s" });
      expect([ofToken, ofSession].map((t) => tickets.take(t?.secret ?? "", NOW))).toEqual([undefined, undefined]);
    }));

  it("is kept as a hash only", () =>
    inHub((sql) => {
      const ticket = new Tickets(sql).issue(requestOf(), NOW);
      if (ticket === "full") throw new Error("full");
      const rows = JSON.stringify(sql.exec("SELECT * FROM tickets").toArray());
      expect(rows).toContain(ticket.id);
      expect(rows).not.toContain(ticket.secret);
      expect(ticket.secret).toMatch(/^[\w-]{43}$/);
    }));

  it("can be given back by who has it, and nobody else", () =>
    inHub((sql) => {
      const tickets = new Tickets(sql);
      const ticket = tickets.issue(requestOf(), NOW);
      if (ticket === "full") throw new Error("full");
      expect(tickets.cancel(ticket.id, "token b")).toBe(false);
      expect(tickets.cancel(ticket.id, "token a")).toBe(true);
      expect(tickets.take(ticket.secret, NOW)).toBeUndefined();
    }));

  it("is one of some: who asks for more waits, and the others do not", () =>
    inHub((sql) => {
      const tickets = new Tickets(sql);
      for (let k = 0; k < MAX_TICKETS_EACH; k++) expect(tickets.issue(requestOf(), NOW)).not.toBe("full");
      expect(tickets.issue(requestOf(), NOW)).toBe("full");
      expect(tickets.issue(requestOf("token b"), NOW)).not.toBe("full");
      expect(tickets.issue(requestOf(), NOW + TICKET_MS)).not.toBe("full");
    }));

  it("is asked for without anything being written", () =>
    inHub((sql) => {
      const before = sql.databaseSize;
      const tickets = new Tickets(sql);
      const { departures } = departuresOf(sql);
      expect(tickets.take("x".repeat(43), NOW)).toBeUndefined();
      expect(tickets.cancel("id", "token a")).toBe(false);
      tickets.revoke({ credential: "token a" });
      expect(departures.delete("id", "token a")).toBe(false);
      expect(sql.databaseSize).toBe(before);
    }));

  it.each(["", "x", "x".repeat(5_000), "' OR 1=1 --", "\u0000"])("is not %j", (secret) =>
    inHub((sql) => {
      const tickets = new Tickets(sql);
      tickets.issue(requestOf(), NOW);
      expect(tickets.take(secret, NOW)).toBeUndefined();
    }),
  );
});

describe("a tail that comes again", () => {
  it("goes on where it was when the hub had cut it off, though wrangler deletes it first", () =>
    inHub((sql) => {
      const { departures, arrive, leave } = departuresOf(sql);
      expect(arrive("one", NOW)).toBeUndefined();
      leave("one", "hub", NOW + 5);
      expect(departures.delete("one", "token a")).toBe(true);
      expect(arrive("two", NOW + 1_000)).toEqual({ cursor });
      expect(arrive("three", NOW + 1_001)).toBeUndefined();
    }));

  it("goes on where it was when its connection broke and nobody said goodbye", () =>
    inHub((sql) => {
      const { arrive, leave } = departuresOf(sql);
      arrive("one", NOW);
      leave("one", "client", NOW + 5);
      expect(arrive("two", NOW + 1_000)).toEqual({ cursor });
    }));

  it("begins anew when it was ended before", () =>
    inHub((sql) => {
      const { departures, arrive, leave } = departuresOf(sql);
      arrive("one", NOW);
      leave("one", "client", NOW + 5);
      expect(departures.delete("one", "token b")).toBe(false);
      expect(departures.delete("one", "token a")).toBe(true);
      expect(departures.delete("one", "token a")).toBe(false);
      expect(arrive("two", NOW + 1_000)).toBeUndefined();
    }));

  it("begins anew after a minute", () =>
    inHub((sql) => {
      const { arrive, leave } = departuresOf(sql);
      arrive("one", NOW);
      leave("one", "hub", NOW);
      expect(arrive("two", NOW + TRACE_RETURN_MS + 1)).toBeUndefined();
    }));

  it("is only one of the same token, with the same filters, from the same place", () =>
    inHub((sql) => {
      const { arrive, leave } = departuresOf(sql);
      arrive("one", NOW);
      leave("one", "hub", NOW);
      for (const [k, other] of [
        requestOf("token b"),
        requestOf("token a", { filters: [] }),
        requestOf("token a", { clientIp: "192.0.2.2" }),
      ].entries())
        expect(arrive(`other ${k}`, NOW + 1, other)).toBeUndefined();
      expect(arrive("two", NOW + 2)).toEqual({ cursor });
    }));

  it("goes on where the hub noted last when that was lost with all it knew", () =>
    inHub((sql) => {
      const first = departuresOf(sql, NOW - 3_600_000);
      for (const id of ["one", "two", "three"]) first.arrive(id, NOW - 3_600_000);
      first.departures.note(() => cursor, NOW - 5_000);
      const { departures, arrive } = departuresOf(sql, NOW, () => ({ shop: "20.60" }));
      expect(departures.delete("one", "token a")).toBe(true);
      expect(arrive("four", NOW + 1_000)).toEqual({ cursor });
      // What the next life notes is of no concern to those of the last one.
      departures.note(() => ({ shop: "30.90" }), NOW + 9_000);
      expect(arrive("five", NOW + 10_000)).toEqual({ cursor });
      expect(arrive("six", NOW + TRACE_RETURN_MS + 1)).toBeUndefined();
    }));

  it("gets all that there is when nobody knows where it was", () =>
    inHub((sql) => {
      const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, k) => [`shard ${k}`, "1.1"]));
      departuresOf(sql, NOW - 3_600_000, () => many).arrive("one", NOW - 3_600_000);
      expect(departuresOf(sql, NOW).arrive("two", NOW + 1_000)).toEqual({ cursor: undefined });
    }));

  it("takes the place of one that has left, never of one that is open", () =>
    inHub((sql) => {
      const { arrive, leave } = departuresOf(sql);
      arrive("one", NOW);
      arrive("two", NOW);
      leave("two", "hub", NOW);
      expect(arrive("three", NOW + 1)).toEqual({ cursor });
      expect(arrive("four", NOW + 1)).toBeUndefined();
      leave("one", "hub", NOW + 2);
      expect(arrive("five", NOW + 3)).toEqual({ cursor });
    }));
});
