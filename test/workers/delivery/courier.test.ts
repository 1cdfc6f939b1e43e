import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { RULES } from "../../support/destination-rules.ts";
import { again, Door, failureOf, invocationOf, refused, textOf, World } from "./courier-support.ts";

const texts = (n: number, prefix = "event") => Array.from({ length: n }, (_, i) => `${prefix} ${i}`);

async function started(more = {}): Promise<World> {
  const world = new World(more);
  await world.start();
  return world;
}

describe("a Courier delivers", () => {
  it("what comes after it was made, in batches of what the receiver takes", async () => {
    const world = new World();
    world.log("shop", ["before"]);
    await world.start();
    world.log("shop", texts(25));
    await world.nudge("shop");
    await world.settle();
    expect(world.receiver.texts).toEqual(texts(25));
    expect(world.receiver.batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(world.sealed).toEqual(["shop"]);
    const health = await world.stub.health();
    expect(health).toMatchObject({ condition: "ok", delivered: 25, failed: 0, queued: 0, circuit: "closed" });
  });

  it("what a lost nudge would have told, within a minute", async () => {
    const world = await started();
    world.log("shop", ["quiet"]);
    await world.settle(60_000);
    expect(world.receiver.texts).toEqual(["quiet"]);
  });

  it("a Worker that is new, from its beginning", async () => {
    const world = await started();
    world.log("new one", ["first", "second"]);
    await world.nudge("new one");
    await world.settle();
    expect(world.receiver.texts).toEqual(["first", "second"]);
  });

  it("nothing while it is paused, and all of it after that", async () => {
    const world = await started();
    world.row = { state: "paused" };
    await world.stub.refresh(world.id);
    world.log("shop", texts(30));
    await world.nudge("shop");
    await world.settle(8 * 3_600_000);
    expect(world.receiver.tries).toBe(0);
    expect((await world.stub.health()).condition).toBe("paused");
    world.row = { state: "enabled" };
    await world.stub.refresh(world.id);
    await world.settle(60_000);
    expect(world.receiver.texts).toEqual(texts(30));
  });

  it("nothing twice after an eviction, though answers came out of order", async () => {
    const world = await started();
    const door = new Door();
    // The first batch hangs, the others are taken.
    world.receiver.behave = async (items, receiver) => {
      if (!items.some((item) => textOf(item) === "event 0")) return receiver.take(items);
      await door.passed();
      return again(items, failureOf("timeout"));
    };
    world.log("shop", texts(40));
    await world.nudge("shop");
    const run = world.alarm();
    await vi.waitUntil(() => world.receiver.texts.length === 30);
    door.isOpen = true;
    await run;
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.evict();
    await world.settle(120_000);
    expect([...world.receiver.texts].sort()).toEqual(texts(40).sort());
  });

  it("an edit at the next batch", async () => {
    const world = await started();
    world.receiver.behave = async (items, receiver) => {
      if (receiver.batches.length === 0) {
        world.row = { rules: { ...RULES, exceptWorkers: ["shop"] } };
        await world.stub.refresh(world.id);
      }
      return receiver.take(items);
    };
    world.log("shop", texts(200));
    await world.nudge("shop");
    await world.settle(120_000);
    // Those that were under way at that moment.
    expect(world.receiver.batches.length).toBeLessThanOrEqual(4);
  });

  it("events of before as well, each once, when it is told to", async () => {
    const world = new World();
    world.row = { backfillFrom: world.clock - 3_600_000 };
    world.backfilled = [
      invocationOf("shop", ["too old"], world.clock - 7_200_000),
      invocationOf("shop", ["old"], world.clock - 60_000),
    ];
    await world.start();
    world.log("shop", ["new"]);
    await world.nudge("shop");
    await world.settle();
    expect([...world.receiver.texts].sort()).toEqual(["new", "old"]);
    expect((await world.stub.health()).backfill).toMatchObject({ rows: 2, done: 2 });
    // What it had its turn with is not sent again.
    await world.stub.backfill({ from: world.clock - 1_800_000 });
    await world.settle(60_000);
    expect(world.receiver.texts).toHaveLength(2);
  });

  it("is gone when it is removed, whatever is under way", async () => {
    const world = await started();
    const door = new Door();
    world.receiver.behave = async (items, receiver) => {
      await door.passed();
      return receiver.take(items);
    };
    world.log("shop", texts(5));
    await world.nudge("shop");
    const run = world.alarm();
    await vi.waitUntil(() => world.receiver.tries === 1);
    world.rows.delete(world.id);
    await world.stub.remove();
    door.isOpen = true;
    await run;
    expect(world.letGo).toBe(1);
    await world.nudge("shop");
    await world.evict();
    await world.nudge("shop");
    expect(await world.stub.marks()).toEqual([]);
    expect(world.receiver.tries).toBe(1);
  });
});

describe("a Courier that nobody tells", () => {
  it("looks once a minute at a secret that does not open, and goes on by itself when it does", async () => {
    for (const isNew of [true, false]) {
      const world = new World();
      world.opens = !isNew;
      await world.start();
      world.opens = false;
      await world.stub.refresh(world.id);
      await world.settle();
      const before = world.alarms;
      world.log("shop", ["kept"]);
      await world.nudge("shop");
      await world.settle(3_600_000);
      expect(world.alarms - before).toBeLessThanOrEqual(61);
      expect(await world.stub.health()).toMatchObject({ condition: "attention" });
      world.opens = true;
      await world.settle(120_000);
      if (!isNew) expect(world.receiver.texts).toEqual(["kept"]);
      world.log("shop", ["more"]);
      await world.settle(120_000);
      expect(world.receiver.texts).toContain("more");
    }
  });

  it("rests when it stands by, whoever nudges", async () => {
    const world = await started();
    world.row = { standby: true };
    await world.nudge("shop");
    await world.stub.refresh(world.id);
    await world.nudge("shop");
    const before = world.alarms;
    await world.settle(3_600_000);
    expect(world.alarms - before).toBeLessThanOrEqual(62);
  });

  it("takes over an edit within a minute, and is empty a minute after it is gone", async () => {
    const world = await started();
    world.row = { state: "paused" };
    await world.settle(60_000);
    world.log("shop", ["while paused"]);
    await world.nudge("shop");
    await world.settle(120_000);
    expect(world.receiver.tries).toBe(0);
    world.row = { state: "enabled" };
    await world.settle(120_000);
    expect(world.receiver.texts).toEqual(["while paused"]);
    world.rows.delete(world.id);
    await world.settle(60_000);
    world.log("shop", ["after removal"]);
    await world.settle(600_000);
    expect(world.receiver.texts).toEqual(["while paused"]);
    expect(world.letGo).toBe(1);
    expect(
      await runInDurableObject(world.stub, (_, { storage }) => [
        ...storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'courier%'"),
      ]),
    ).toEqual([]);
  });

  it("says how much waits after an eviction, and when it tries next", async () => {
    const world = await started();
    world.receiver.behave = (items) =>
      again(items, failureOf("rate_limited", { status: 429, retryAfterMs: 1_800_000 }));
    world.log("shop", texts(30));
    await world.nudge("shop");
    await world.settle(60_000);
    await world.evict();
    await world.settle(61_000);
    await world.evict();
    const health = await world.stub.health();
    expect(health.queued).toBe(30);
    expect(health.nextTryAt).toBeGreaterThan(world.clock);
    expect(health.oldestWaiting).not.toBeNull();
  });
});

describe("when a receiver fails", () => {
  it("it is tried again, later and later, then by single probes, and all arrives once it is well", async () => {
    const world = await started();
    world.receiver.behave = (items) => again(items, failureOf("unavailable"));
    world.log("shop", texts(100));
    await world.nudge("shop");
    await world.settle(8 * 3_600_000);
    const health = await world.stub.health();
    expect(health).toMatchObject({ condition: "failing", circuit: "open", delivered: 0, lastError: { status: 503 } });
    // At most every half a minute on average 15 s, over eight hours.
    expect(world.receiver.tries).toBeLessThan(3_000);
    expect(world.receiver.tries).toBeGreaterThan(900);
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.settle(30_000);
    expect([...world.receiver.texts].sort()).toEqual(texts(100).sort());
    expect((await world.stub.health()).circuit).toBe("closed");
  });

  it("Retry-After is honoured, also across an eviction", async () => {
    const world = await started();
    world.receiver.behave = (items) => again(items, failureOf("rate_limited", { status: 429, retryAfterMs: 600_000 }));
    world.log("shop", ["one"]);
    await world.nudge("shop");
    await world.settle();
    await world.evict();
    await world.nudge("shop");
    await world.settle(590_000);
    expect(world.receiver.tries).toBe(1);
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.settle(20_000);
    expect(world.receiver.texts).toEqual(["one"]);
  });

  it("one item that is refused is a dead letter, the rest of its batch arrives", async () => {
    const world = await started();
    world.receiver.behave = (items, receiver) =>
      items.some((item) => textOf(item) === "event 13") ? refused(items) : receiver.take(items);
    world.log("shop", texts(40));
    await world.nudge("shop");
    await world.settle(60_000);
    expect([...world.receiver.texts].sort()).toEqual(
      texts(40)
        .filter((text) => text !== "event 13")
        .sort(),
    );
    const { deadLetters, total } = await world.stub.deadLetters({ limit: 10 });
    expect(total).toBe(1);
    expect(deadLetters[0]).toMatchObject({
      title: "event 13",
      feed: "logs",
      failure: { kind: "refused", status: 400 },
    });
    expect((await world.stub.health()).delivered).toBe(39);
  });

  it("a dead letter is edited and replayed", async () => {
    const world = await started();
    world.receiver.behave = (items, receiver) =>
      items.some((item) => textOf(item).includes("bad")) ? refused(items) : receiver.take(items);
    world.log("shop", ["good", "bad one", "bad two"]);
    await world.nudge("shop");
    await world.settle(60_000);
    const { deadLetters } = await world.stub.deadLetters({ limit: 10 });
    const [letter] = deadLetters.filter(({ title }) => title === "bad one");
    const { item } = (await world.stub.deadLetter(letter?.id ?? 0)) ?? { item: "" };
    const edit = (text: string) => world.stub.editDeadLetter(letter?.id ?? 0, text);
    expect(await edit("{}")).toEqual({ ok: false, problem: "id must be 32 hex digits." });
    expect(await edit(item.replaceAll('"bad one"', "7"))).toMatchObject({ problem: "event.message must be a text." });
    expect(await edit(item.replaceAll('"logs"', '"errors"'))).toMatchObject({ problem: "feed must stay logs." });
    expect(await edit(item.replace(/"id":"\w{32}"/, `"id":"${"f".repeat(32)}"`))).toMatchObject({ ok: false });
    expect(await edit(item.replaceAll("bad one", "x".repeat(300_000)))).toMatchObject({ ok: false });
    expect((await world.stub.deadLetter(letter?.id ?? 0))?.item).toBe(item);
    expect(await edit(item.replaceAll("bad one", "mended"))).toEqual({ ok: true });
    expect(await world.stub.replay({ ids: "all" })).toEqual({ changed: 1, refused: 1 });
    expect(world.receiver.texts).toContain("mended");
    expect((await world.stub.deadLetters({ limit: 10 })).total).toBe(1);
    expect(await world.stub.discard({ ids: "all" })).toEqual({ changed: 1, refused: 0 });
  });

  it("a dead letter that cannot be read is refused when it is replayed, and says why; the others are sent", async () => {
    const world = await started();
    world.receiver.behave = (items) => refused(items);
    world.log("shop", texts(5));
    await world.nudge("shop");
    await world.settle(60_000);
    await runInDurableObject(world.stub, (_, { storage }) => {
      // As an earlier release took them from people.
      storage.sql.exec("UPDATE dead_letters SET item = json_set(item, '$.event.message', 7) WHERE title = 'event 1'");
      storage.sql.exec("UPDATE dead_letters SET item = '{' WHERE title = 'event 2'");
    });
    world.receiver.behave = (items, receiver) => receiver.take(items);
    expect(await world.stub.replay({ ids: "all" })).toEqual({ changed: 3, refused: 2 });
    expect([...world.receiver.texts].sort()).toEqual(["event 0", "event 3", "event 4"]);
    const { deadLetters } = await world.stub.deadLetters({ limit: 10 });
    const why = deadLetters.map(({ title, failure }) => `${title}: ${failure.message}`).sort();
    expect(why).toEqual([
      expect.stringMatching(/^event 1: .*cannot be read: event\.message must be a text\./),
      expect.stringMatching(/^event 2: .*cannot be read: It is not JSON\./),
    ]);
  });

  it("replayed by two at once, a dead letter is sent once", async () => {
    const world = await started();
    world.receiver.behave = (items) => refused(items);
    world.log("shop", texts(5));
    await world.nudge("shop");
    await world.settle(60_000);
    expect((await world.stub.health()).sentence).toContain("among the dead letters");
    expect((await world.stub.health()).condition).toBe("attention");
    world.receiver.behave = async (items, receiver) => {
      await scheduler.wait(20);
      return receiver.take(items);
    };
    const answers = await Promise.all([1, 2, 3].map(() => world.stub.replay({ ids: "all" })));
    expect(answers.map(({ changed }) => changed).sort()).toEqual([0, 0, 5]);
    expect([...world.receiver.texts].sort()).toEqual(texts(5));
    expect(await world.stub.health()).toMatchObject({ delivered: 5, deadLetters: 0 });
  });

  it("a run of poison ends by itself when what comes after it is taken", async () => {
    const world = await started();
    world.receiver.behave = (items, receiver) =>
      items.some((item) => textOf(item).startsWith("poison")) ? refused(items) : receiver.take(items);
    world.log("shop", texts(60, "poison"));
    world.log("shop", texts(40));
    await world.nudge("shop");
    await world.settle(600_000);
    expect([...world.receiver.texts].sort()).toEqual(texts(40).sort());
    expect((await world.stub.deadLetters({ limit: 1 })).total).toBe(60);
  });

  it("a run of refusals is the destination's trouble: nothing more is put aside", async () => {
    const world = await started();
    world.receiver.behave = (items) => refused(items, "unknown project");
    world.log("shop", texts(300));
    await world.nudge("shop");
    await world.settle(3_600_000);
    const health = await world.stub.health();
    expect(health).toMatchObject({ condition: "attention", deadLetters: 20 });
    expect(health.sentence).toContain("unknown project");
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.settle(5 * 60_000);
    expect(new Set(world.receiver.texts).size).toBe(280);
  });

  it("a key that is refused waits for a person, and goes on by itself when it is accepted", async () => {
    const world = await started();
    world.receiver.behave = (items) => again(items, failureOf("unauthorized", { status: 401 }));
    world.log("shop", texts(3));
    await world.nudge("shop");
    await world.settle(3_600_000);
    expect((await world.stub.health()).condition).toBe("attention");
    expect(world.receiver.tries).toBeLessThan(30);
    world.receiver.behave = (items, receiver) => receiver.take(items);
    world.row = { values: { key: "another" } };
    await world.stub.refresh(world.id);
    await world.settle();
    expect(world.receiver.texts).toEqual(texts(3));
  });

  it("one that refused the key and then does not answer is asked no more often than any other", async () => {
    const world = await started();
    world.receiver.behave = (items) => again(items, failureOf("unauthorized", { status: 401 }));
    world.log("shop", texts(14));
    await world.nudge("shop");
    await world.settle();
    world.receiver.behave = (items) => again(items, failureOf("timeout"));
    await world.settle(120_000);
    expect(world.receiver.tries).toBeLessThan(20);
    expect((await world.stub.health()).lastError?.kind).toBe("timeout");
  });

  it("one item that it stumbles over keeps nothing else back", async () => {
    const world = await started();
    world.receiver.behave = (items, receiver) =>
      items.some((item) => textOf(item) === "event 0") ? again(items, failureOf("unavailable")) : receiver.take(items);
    world.log("shop", texts(60));
    await world.nudge("shop");
    for (let n = 0; n < 40; n++) {
      await world.settle(30_000);
      world.log("shop", [`later ${n}`]);
      await world.nudge("shop");
    }
    await world.settle(600_000);
    expect(world.receiver.texts.filter((text) => text.startsWith("event"))).toHaveLength(59);
    expect((await world.stub.deadLetters({ limit: 5 })).deadLetters.map(({ title }) => title)).toEqual(["event 0"]);
  });

  it("stores that are away are waited for", async () => {
    const world = await started();
    world.storeAway = "D1 is overloaded";
    world.log("shop", ["kept"]);
    await world.nudge("shop");
    await world.settle(120_000);
    expect((await world.stub.health()).sentence).toContain("D1 is overloaded");
    world.storeAway = "";
    await world.settle(60_000);
    expect(world.receiver.texts).toEqual(["kept"]);
  });

  it("the items of an invocation that is larger than a batch arrive once each", async () => {
    const world = await started();
    world.receiver.behave = (items, receiver) =>
      receiver.tries % 3 === 1 ? again(items, failureOf("timeout")) : receiver.take(items);
    world.logTogether("shop", texts(35));
    await world.nudge("shop");
    await world.settle(300_000);
    expect([...world.receiver.texts].sort()).toEqual(texts(35).sort());
    expect((await world.stub.marks())[0]).toEqual({ shard: "shop", through: 1 });
  });
});

describe("rules", () => {
  it("a ceiling is of the events' own minute, whatever the tries and evictions", async () => {
    const world = new World();
    world.row = { rules: { ...RULES, perMinute: 20 } };
    await world.start();
    world.receiver.behave = (items, receiver) =>
      receiver.tries % 2 === 1 ? again(items, failureOf("timeout")) : receiver.take(items);
    for (let minute = 0; minute < 3; minute++) {
      world.log("shop", texts(30, `minute ${minute}`));
      await world.nudge("shop");
      await world.settle();
      await world.evict();
      await world.settle(60_000);
    }
    await world.settle(300_000);
    expect(world.receiver.texts).toHaveLength(60);
    expect(await world.stub.health()).toMatchObject({ delivered: 60, droppedByRule: { ceiling: 30, sampled: 0 } });
  });

  it("what sampling drops is counted once", async () => {
    const world = new World();
    world.row = { rules: { ...RULES, otherwise: 0 } };
    await world.start();
    world.log("shop", texts(12));
    await world.nudge("shop");
    await world.settle();
    await world.evict();
    await world.settle(120_000);
    expect(world.receiver.tries).toBe(0);
    expect((await world.stub.health()).droppedByRule.sampled).toBe(12);
    expect(world.counted.get("tailrace_delivery_items_total sampled")).toBe(12);
  });

  const notice = (id: number, at: number) =>
    ({ id, at, kind: "issue.new", issueId: 1, script: "shop", detail: { version: { id: "", tag: "" } } }) as never;
  const numbers = (world: World) => world.taken.map((item) => (item.feed === "notices" ? item.notice.id : 0));

  it("notices that come after it was made are sent once each", async () => {
    const world = new World();
    world.row = { rules: { ...RULES, feeds: ["notices"] } };
    world.notices.push(notice(1, world.clock - 1_000));
    await world.start();
    world.notices.push(notice(2, world.clock), notice(3, world.clock));
    await world.stub.nudge([{ kind: "notices" }]);
    await world.settle();
    await world.evict();
    await world.settle(120_000);
    expect(numbers(world)).toEqual([2, 3]);
  });

  it("notices of before as well, when it is told to, each once", async () => {
    const world = new World();
    const hour = 3_600_000;
    world.row = { rules: { ...RULES, feeds: ["notices"] }, backfillFrom: world.clock - hour };
    world.notices.push(
      notice(1, world.clock - 3 * hour),
      notice(2, world.clock - 2 * hour),
      notice(3, world.clock - 5),
    );
    await world.start();
    await world.settle(60_000);
    expect(numbers(world)).toEqual([3]);
    world.notices.push(notice(4, world.clock));
    await world.stub.backfill({ from: world.clock - 2.5 * hour });
    await world.settle(120_000);
    expect(numbers(world).sort()).toEqual([2, 3, 4]);
  });
});

describe("what is remembered", () => {
  it("by an earlier release is read with what is new", async () => {
    const world = await started();
    await runInDurableObject(world.stub, (_, { storage }) => {
      const [{ json }] = storage.sql.exec<{ json: string }>("SELECT json FROM courier_state").toArray() as [
        { json: string },
      ];
      const { counters, receiver, ...state } = JSON.parse(json);
      const { breaker } = receiver;
      const old = {
        ...state,
        counters: { delivered: counters.delivered },
        receiver: { breaker: { state: breaker.state } },
      };
      storage.sql.exec("UPDATE courier_state SET json = ?", JSON.stringify(old));
    });
    await world.evict();
    world.log("shop", ["as ever"]);
    await world.nudge("shop");
    await world.settle(60_000);
    expect(world.receiver.texts).toEqual(["as ever"]);
    expect((await world.stub.health()).delivered).toBe(1);
  });

  it("and cannot be written is told, sent ever more seldom, and goes on from the disk", async () => {
    const world = await started();
    world.log("shop", texts(3));
    await runInDurableObject(world.stub, (_, { storage }) => {
      storage.sql.exec(
        "CREATE TRIGGER full BEFORE UPDATE ON courier_lanes BEGIN SELECT RAISE(ABORT, 'disk full'); END",
      );
      storage.sql.exec(
        "CREATE TRIGGER full2 BEFORE INSERT ON courier_lanes WHEN NEW.through > 0 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
      );
    });
    await world.nudge("shop");
    await world.settle(600_000);
    expect((await world.stub.health()).sentence).toContain("disk full");
    expect(world.receiver.tries).toBeLessThan(12);
    await runInDurableObject(world.stub, (_, { storage }) => {
      storage.sql.exec("DROP TRIGGER full");
      storage.sql.exec("DROP TRIGGER full2");
    });
    await world.settle(600_000);
    expect(await world.stub.health()).toMatchObject({ condition: "ok", delivered: 3, queued: 0 });
  });
});

describe("order", () => {
  it("is kept within a Worker where the protocol has it, also when tries fail", async () => {
    const world = await started({ ordered: true });
    world.receiver.behave = (items, receiver) =>
      receiver.tries % 2 === 1 ? again(items, failureOf("timeout")) : receiver.take(items);
    world.log("shop", texts(50));
    world.log("other", texts(50, "other"));
    await world.nudge("shop");
    await world.nudge("other");
    await world.settle(600_000);
    expect(world.receiver.texts.filter((text) => text.startsWith("event"))).toEqual(texts(50));
    expect(world.receiver.texts.filter((text) => text.startsWith("other"))).toEqual(texts(50, "other"));
  });
});

describe("a failover", () => {
  async function withFailover(): Promise<World> {
    const world = new World();
    world.addFailover();
    await world.start();
    return world;
  }

  it("carries while the circuit is open, and the gap is filled when the first is well", async () => {
    const world = await withFailover();
    world.receiver.behave = (items) => again(items, failureOf("unreachable"));
    for (let n = 0; n < 20; n++) {
      world.log("shop", [`event ${n}`]);
      await world.nudge("shop");
      await world.settle(10_000);
    }
    expect(world.failover.texts).toEqual(texts(20));
    const failed = await world.stub.health();
    expect(failed).toMatchObject({ circuit: "open", viaFailover: 20, delivered: 0 });
    expect(failed.sentence).toContain("The other carries it meanwhile.");
    expect(failed.carriedAt).toBe(failed.asOf);
    expect(failed.movedAt).toBeLessThan(failed.asOf - 180_000);
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.settle(60_000);
    expect([...world.receiver.texts].sort()).toEqual(texts(20).sort());
    world.log("shop", ["fresh"]);
    await world.nudge("shop");
    await world.settle(60_000);
    expect(world.receiver.texts).toContain("fresh");
    expect(world.failover.texts).not.toContain("fresh");
    expect(await world.stub.health()).toMatchObject({ failedOverSince: null, condition: "ok" });
  });

  it("that does not move either carries nothing", async () => {
    const world = await withFailover();
    for (const receiver of [world.receiver, world.failover])
      receiver.behave = (items) => again(items, failureOf("unreachable"));
    world.log("shop", ["event"]);
    await world.nudge("shop");
    await world.settle(300_000);
    const { carriedAt, asOf, failedOverSince } = await world.stub.health();
    expect(carriedAt).toBe(failedOverSince);
    expect(asOf - (carriedAt ?? asOf)).toBeGreaterThan(120_000);
  });

  it("takes over from one that is slow, though its circuit is closed", async () => {
    const world = await withFailover();
    world.receiver.behave = (items) => again(items, failureOf("rate_limited", { retryAfterMs: 20_000, status: 429 }));
    world.log("shop", texts(3));
    await world.nudge("shop");
    await world.settle(120_000);
    expect(world.failover.texts).toEqual(texts(3));
  });

  it("goes on after an eviction where it was", async () => {
    const world = await withFailover();
    world.receiver.behave = (items) => again(items, failureOf("unreachable"));
    world.log("shop", texts(5));
    await world.nudge("shop");
    await world.settle(120_000);
    expect(world.failover.texts).toEqual(texts(5));
    await world.evict();
    world.log("shop", ["more"]);
    await world.nudge("shop");
    await world.settle(120_000);
    expect(world.failover.texts).toEqual([...texts(5), "more"]);
  });

  it("is sent nothing a second time when the first is edited, or fails again", async () => {
    const world = await withFailover();
    world.receiver.behave = (items) => again(items, failureOf("unavailable"));
    world.log("shop", texts(40));
    await world.nudge("shop");
    await world.settle(60_000);
    expect([...world.failover.texts].sort()).toEqual(texts(40).sort());
    for (let n = 0; n < 3; n++) {
      world.row = { name: `Renamed ${n}` };
      await world.stub.refresh(world.id);
      if (n === 1) await world.evict();
      await world.settle(60_000);
    }
    expect(world.failover.texts).toHaveLength(40);
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.settle(120_000);
    expect([...world.receiver.texts].sort()).toEqual(texts(40).sort());
  });

  it("takes over from one that fails every second time, and from one whose every answer is late", async () => {
    for (const late of [false, true]) {
      const world = await withFailover();
      world.receiver.behave = (items, receiver) => {
        if (late) world.clock += 6_000;
        return late || receiver.tries % 2 === 0 ? receiver.take(items) : again(items, failureOf("unavailable"));
      };
      for (let n = 0; n < 30; n++) {
        world.log("shop", [`event ${n}`]);
        await world.nudge("shop");
        await world.settle(4_000);
      }
      expect(world.failover.tries).toBeGreaterThan(0);
      expect((await world.stub.health()).failedOverSince).not.toBeNull();
      world.receiver.behave = (items, receiver) => receiver.take(items);
      for (let n = 0; n < 40; n++) {
        world.log("shop", [`later ${n}`]);
        await world.nudge("shop");
        await world.settle(10_000);
      }
      expect((await world.stub.health()).failedOverSince).toBeNull();
      expect(new Set(world.receiver.texts).size).toBe(70);
    }
  });

  it("is not needed by one that only has much to catch up on", async () => {
    const world = await withFailover();
    world.log("shop", texts(500), world.clock - 8 * 3_600_000);
    await world.nudge("shop");
    await world.settle(120_000);
    expect(world.receiver.texts).toHaveLength(500);
    expect(world.failover.tries).toBe(0);
  });
});
