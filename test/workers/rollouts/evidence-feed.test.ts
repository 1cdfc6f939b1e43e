/** The feed against real Ingesters: what is appended, sealed, sent twice, and read by an object that is evicted in between. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import type { Evidence } from "../../../workers/rollouts/contract.ts";
import { appendOf, ingester } from "../buffer/support.ts";
import {
  AT_US,
  BEGIN,
  look,
  MINUTE_MS,
  NEW,
  OLD,
  eventOf as of,
  rolloutOf,
  totals,
  withFeed,
} from "./evidence-support.ts";

describe("feed", () => {
  it("counts each invocation once, by arm and class, however often it looks and whatever is sent twice", async () => {
    const script = "evidence-once";
    const stub = ingester(script);
    const batch = appendOf(script, [
      of(script, OLD),
      of(script, OLD, { status: 500 }),
      of(script, OLD, { outcome: "canceled", status: undefined }),
      of(script, NEW, { outcome: "exception", status: undefined }),
      of(script, NEW, { event_type: "queue", status: undefined }),
      of(script, NEW, { event_type: "rpc", entrypoint: "Room", durable_object_id: "a", status: undefined }),
      of(script, NEW, { event_type: "scheduled", status: undefined }),
    ]);
    await stub.append(batch);
    await look(script);
    await stub.append(batch);
    await stub.append(appendOf(script, [of(script, NEW)]));
    await look(script);
    const evidence = await look(script);
    expect(totals(evidence, "old")).toEqual({ n: 2, failed: 1, left: 1, collateral: 0 });
    expect(totals(evidence, "new")).toEqual({ n: 5, failed: 1, left: 0, collateral: 0 });
    const classes = evidence.cells.filter((c) => c.arm === "new").map((c) => [c.class, c.n]);
    expect(classes.sort()).toEqual([
      ["durable_object", 1],
      ["queue", 1],
      ["request", 2],
      ["scheduled", 1],
    ]);
    expect(evidence.sight.blind).toEqual([]);
  });

  it("loses nothing that is sealed between two looks", async () => {
    const script = "evidence-sealed";
    const stub = ingester(script);
    await stub.append(appendOf(script, [of(script, OLD)]));
    await look(script);
    for (let i = 0; i < 3; i++) {
      await stub.append(appendOf(script, [of(script, NEW, { status: 500 })]));
      await stub.seal();
    }
    await stub.append(appendOf(script, [of(script, NEW)]));
    const evidence = await look(script);
    expect(totals(evidence, "new")).toMatchObject({ n: 4, failed: 3 });
    expect(evidence.sight.notes).toEqual([]);
  });

  it("says how much was sealed while nobody looked, and counts on from there", async () => {
    const script = "evidence-gap";
    const stub = ingester(script);
    await stub.append(appendOf(script, [of(script, OLD)]));
    await look(script);
    // What is held for it is lost with the Ingester's memory.
    await evictDurableObject(stub);
    await stub.append(appendOf(script, [of(script, NEW)]));
    await stub.append(appendOf(script, [of(script, NEW)]));
    await stub.seal();
    await stub.append(appendOf(script, [of(script, NEW)]));
    const evidence = await look(script);
    expect(totals(evidence, "new").n).toBe(1);
    expect(evidence.sight.blind).toEqual([]);
    expect(evidence.sight.notes.join()).toContain("2 batches of telemetry went to the store");
  });

  it("asks every shard, also one that joins while it runs", async () => {
    const script = "evidence-shards";
    await ingester(script).append(appendOf(script, [of(script, OLD)]));
    await ingester(`${script}#1`).append(appendOf(script, [of(script, NEW)]));
    await look(script);
    await ingester(`${script}#2`).append(appendOf(script, [of(script, NEW)]));
    const evidence = await look(script, { now: Date.now() + 20_000 });
    expect([totals(evidence, "old").n, totals(evidence, "new").n]).toEqual([1, 2]);
  });

  it("leaves out other versions, none, times that cannot be, and the new version from before the rollout", async () => {
    const script = "evidence-others";
    const hour = 3_600_000_000;
    await ingester(script).append(
      appendOf(script, [
        of(script, "33333333-3333-4333-8333-333333333333"),
        of(script, "", {}),
        of(script, NEW, {}, AT_US - 90_000_000),
        of(script, OLD, {}, AT_US - 90_000_000),
        of(script, OLD, {}, AT_US - hour),
        of(script, NEW, {}, AT_US + hour),
        of(script, NEW),
      ]),
    );
    const evidence = await look(script);
    expect([totals(evidence, "old").n, totals(evidence, "new").n]).toEqual([1, 1]);
    expect(evidence.sight.notes.join()).toMatch(/1 invocation does not say.*1 invocation was of other versions/);
  });

  it("keeps what came before a change of the split apart from what came after", async () => {
    const script = "evidence-parts";
    const stub = ingester(script);
    await stub.append(appendOf(script, [of(script, OLD), of(script, NEW)]));
    await look(script);
    // Of the minute of the events, however late this test runs.
    await withFeed(script, (feed) => feed.splitChanged(BEGIN));
    await stub.append(appendOf(script, [of(script, NEW)]));
    const { cells } = await look(script);
    const parts = cells.filter((c) => c.minute * 1000 === BEGIN).map((c) => [c.arm, c.part ?? 0, c.n]);
    expect(parts.sort()).toEqual([
      ["new", 0, 1],
      ["new", 1, 1],
      ["old", 0, 1],
    ]);
  });

  it("counts the death of an isolate once, wherever its victims are told of", async () => {
    const script = "evidence-deaths";
    const victim = (ms: number, colo = "AMS") =>
      of(script, NEW, { outcome: "exceededMemory", status: undefined, colo, duration: ms }, AT_US);
    await ingester(script).append(
      appendOf(
        script,
        Array.from({ length: 300 }, (_, i) => victim(1000 + (i % 40))),
      ),
    );
    await look(script);
    // Another shard, another append, the same death; and another place.
    await ingester(`${script}#1`).append(appendOf(script, [victim(1010), victim(1010, "LHR"), of(script, NEW)]));
    const evidence = await look(script, { now: Date.now() + 20_000 });
    expect(totals(evidence, "new")).toEqual({ n: 3, failed: 2, left: 0, collateral: 300 });
  });

  it("forgets a rollout, and nothing of another", async () => {
    const script = "evidence-forget";
    await ingester(script).append(appendOf(script, [of(script, NEW)]));
    await look(script);
    const other = { id: "r-other", since: BEGIN + 1 };
    await look(script, other);
    await withFeed(script, (feed) => {
      expect(feed.points(MINUTE_MS, `r-${script}`)).toHaveLength(1);
      feed.forget("r-other");
      expect(feed.points(MINUTE_MS, "r-other")).toEqual([]);
      expect(feed.points(MINUTE_MS)).toHaveLength(1);
      feed.forget(`r-${script}`);
      expect(feed.evidence().cells).toEqual([]);
    });
  });

  it("is blind while an Ingester hangs or throws, goes on with the others, and takes in what it missed", async () => {
    const script = "evidence-blind";
    await ingester(script).append(appendOf(script, [of(script, OLD)]));
    await ingester(`${script}#1`).append(appendOf(script, [of(script, NEW)]));
    const failing = (unsealedRollups: () => Promise<never>) => ({
      INGESTER: new Proxy(env.INGESTER, {
        get: (on, property) =>
          property === "getByName"
            ? (name: string) => (name === script ? { unsealedRollups } : on.getByName(name))
            : Reflect.get(on, property, on),
      }),
    });
    const hanging = await look(script, { stores: failing(() => new Promise(() => {})) });
    expect(hanging.sight.blind.join()).toContain("Ingester 1 does not answer");
    const throwing = await look(script, { stores: failing(() => Promise.reject(new Error("it is stuck"))) });
    expect(throwing.sight.blind.join()).toContain("Ingester 1 does not answer: it is stuck");
    expect([totals(throwing, "old").n, totals(throwing, "new").n]).toEqual([0, 1]);
    const well = await look(script);
    expect(well.sight.blind).toEqual([]);
    expect([totals(well, "old").n, totals(well, "new").n]).toEqual([1, 1]);
  });

  it("does not ask an Ingester that hangs again on top, and counts its late answer once", async () => {
    const script = "evidence-late";
    const stub = ingester(script);
    await stub.append(appendOf(script, [of(script, NEW)]));
    let asked = 0;
    let answer = () => {};
    const gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = {
      INGESTER: new Proxy(env.INGESTER, {
        get: (on, property) =>
          property === "getByName"
            ? (name: string) => ({
                unsealedRollups: async (request: { afterId: number }) => {
                  asked++;
                  const page = await on.getByName(name).unsealedRollups(request);
                  if (asked === 1) await gate;
                  return page;
                },
              })
            : Reflect.get(on, property, on),
      }),
    };
    await withFeed(
      script,
      async (feed) => {
        feed.begin(rolloutOf(script));
        await feed.look(Date.now());
        await feed.look(Date.now());
        expect(asked).toBe(1);
        answer();
        await feed.look(Date.now());
        await feed.look(Date.now());
        expect(totals(feed.evidence(), "new").n).toBe(1);
      },
      slow,
    );
  });

  it("says that D1 is away, and still counts what Ingesters it knows have", async () => {
    const script = "evidence-d1";
    await ingester(script).append(appendOf(script, [of(script, NEW)]));
    await look(script);
    let isAway = false;
    const flaky = {
      DB: new Proxy(env.DB, {
        get(on, property) {
          if (isAway && property === "batch") return () => Promise.reject(new Error("D1 is away"));
          return Reflect.get(on, property, on).bind(on) as unknown;
        },
      }),
    };
    await withFeed(
      script,
      async (feed) => {
        await feed.look(Date.now());
        isAway = true;
        // A stub of this object's own.
        await ingester(script).append(appendOf(script, [of(script, NEW)]));
        await feed.look(Date.now() + 70_000);
        const evidence = feed.evidence();
        expect(totals(evidence, "new").n).toBe(2);
        const blind = evidence.sight.blind.join();
        expect(evidence.sight.notes.join()).toContain("The list of Ingesters is old (D1 is away)");
        expect(blind).toContain("New issues cannot be read: D1 is away");
      },
      flaky,
    );
  });

  it("counts nothing by halves: a look that cannot be written is said, and done again", async () => {
    const script = "evidence-halves";
    await ingester(script).append(appendOf(script, [of(script, OLD), of(script, NEW)]));
    const cannotWrite = (sql: string) =>
      runInDurableObject(env.ROLLOUTS.getByName(`feed of ${script}`), (_, { storage }) => {
        storage.sql.exec(sql);
      });
    await withFeed(script, (feed) => feed.begin(rolloutOf(script)));
    // The cells of one arm can be written, those of the other cannot.
    await cannotWrite(
      "CREATE TRIGGER broken BEFORE INSERT ON evidence_cells WHEN NEW.key LIKE '% new %' BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    const broken = await look(script);
    expect(broken.sight.blind.join()).toContain("disk full");
    expect(broken.cells).toEqual([]);
    await cannotWrite("DROP TRIGGER broken");
    const well = await look(script);
    expect([totals(well, "old").n, totals(well, "new").n]).toEqual([1, 1]);
  });

  it("holds when both versions fall silent at once, and takes it for no traffic after half an hour", async () => {
    const script = "evidence-silence";
    await ingester(script).append(
      appendOf(
        script,
        Array.from({ length: 50 }, () => of(script, OLD)),
      ),
    );
    expect((await look(script)).sight.blind).toEqual([]);
    // As if it had been so for minutes.
    const now = Date.now() - (Date.now() % 10_000);
    const ticks = Array.from({ length: 20 }, (_, i) => [now - i * 10_000, { old: [50, 0], new: [0, 0] }]);
    await runInDurableObject(env.ROLLOUTS.getByName(`feed of ${script}`), (_, { storage }) => {
      const update = "UPDATE evidence_parts SET value = ? WHERE rollout = ? AND name = 'ticks'";
      storage.sql.exec(update, JSON.stringify(ticks), `r-${script}`);
    });
    const later = await look(script, { now: Date.now() + 60_000 });
    expect(later.sight.blind.join()).toMatch(/Nothing has arrived from either version for 6\d s/);
    const muchLater = await look(script, { now: Date.now() + 31 * MINUTE_MS });
    expect(muchLater.sight.blind).toEqual([]);
  });

  it("keeps what is settled, and drops the sketches that are spent, through an eviction", async () => {
    const script = "evidence-settled";
    const event = (version: string, minute: number) =>
      of(script, version, { duration: 9 }, AT_US + minute * 60_000_000);
    await ingester(script).append(appendOf(script, [event(OLD, 0), event(NEW, 0), event(OLD, 1), event(NEW, 1)]));
    const settled = { until: BEGIN / 1000 + 60, queriesUntil: 0, rates: {}, times: {} };
    await withFeed(script, async (feed) => {
      feed.begin(rolloutOf(script));
      await feed.look(Date.now());
      const first = (known: Evidence) => known.cells.filter(({ minute }) => minute < settled.until);
      feed.settle((known) => ({ settled, spent: first(known) }));
      // Not at each look.
      feed.settle(() => ({ settled: { ...settled, until: 0 }, spent: [] }));
    });
    const evidence = await look(script);
    expect(evidence.settled).toEqual(settled);
    expect(evidence.cells.map(({ n, duration }) => [n, duration.length > 0])).toEqual([
      [1, false],
      [1, false],
      [1, true],
      [1, true],
    ]);
    await withFeed(script, (feed) => feed.forget(`r-${script}`));
    await withFeed(script, (feed) => {
      feed.begin(rolloutOf(script));
      expect(feed.evidence().settled).toBeUndefined();
    });
  });

  it("keeps totals of ten seconds for a page that moves", async () => {
    const script = "evidence-points";
    await ingester(script).append(appendOf(script, [of(script, OLD), of(script, NEW, { status: 503 })]));
    await look(script);
    const both = { old: { requests: 1, errors: 0 }, new: { requests: 1, errors: 1 } };
    await withFeed(script, (feed) => {
      const ticks = feed.points(10_000);
      expect(ticks).toMatchObject([both]);
      expect((ticks[0]?.t ?? 1) % 10_000).toBe(0);
      expect(feed.points(MINUTE_MS)).toEqual([{ t: BEGIN, ...both }]);
    });
  });
});

describe("an Ingester", () => {
  it("tells the Worker's guard of a second version, and its appends do not wait for the answer", async () => {
    const script = "evidence-noticed";
    const told: string[] = [];
    const stub = ingester(script);
    await runInDurableObject(stub, (instance: Ingester) => {
      instance.guard = () => ({
        noticed: (...asked) => {
          told.push(asked.join(" "));
          return new Promise(() => {});
        },
      });
    });
    await stub.append(appendOf(script, [of(script, OLD)]));
    await stub.append(appendOf(script, [of(script, NEW)]));
    await stub.append(appendOf(script, [of(script, OLD), of(script, NEW)]));
    expect(told).toEqual([`${script} ${NEW}`]);
  });
});
