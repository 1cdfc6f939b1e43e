/** The life of a rollout: how it begins, goes on, ends, and what a person can tell it. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { PLAN, World } from "./guard-support.ts";

it("goes through the steps of its plan with evidence, and is promoted", async () => {
  const world = new World("steps");
  const { id } = await world.start();
  expect(await world.rollout(id)).toMatchObject({ state: "running", step: 0, percent: 5, startedBy: "releaser" });
  world.verdict = "not_worse";
  await world.until(id, ({ step }) => step === 1);
  expect(world.percent).toBe(50);
  const over = await world.until(id, ({ endedAt }) => endedAt !== null);
  expect(over).toMatchObject({ state: "promoted", percent: 100, step: 2 });
  expect(world.ours).toEqual([5, 50, 100]);
  expect(world.asked).toEqual([5, 50, 100]);
  expect(world.splits).toHaveLength(3);
});

it("begins with the version that a tag names, and says which there are when none is called so", async () => {
  const world = new World("tag");
  const rollout = await world.start({ version: "v2" });
  expect(rollout.new).toMatchObject({ id: "new", tag: "v2" });
  expect(world.percent).toBe(5);
  const { script } = new World("no-tag");
  const refused = await env.ROLLOUTS.getByName(script).preflight({ script, version: "v3" });
  expect(refused).toMatchObject({
    ok: false,
    code: "bad_request",
    message: expect.stringContaining("newest are v2 (new)"),
  });
});

it("takes back at once what is worse, immediately and whatever secret has changed", async () => {
  const world = new World("worse");
  const { id } = await world.start();
  world.verdict = "worse";
  await world.looks(1);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back", percent: 0, reason: "The test says worse." });
  expect(world.ours).toEqual([5, 0]);
  expect(world.cloudflare.posts(world.script).at(-1)).toMatchObject({
    versions: [{ version: "old", percent: 100 }],
    mode: "immediate",
    force: true,
    message: `Tailrace ${id} 2: taken back`,
  });
  await world.looks(40);
  expect(world.asked).toEqual([5, 0]);
});

it("holds while nothing is known, and takes back at the time limit: time alone never promotes", async () => {
  const world = new World("limit");
  const { id } = await world.start({ plan: { ...PLAN, stepLimitMinutes: 3 } });
  await world.looks(80);
  expect(await world.rollout(id)).toMatchObject({ state: "running", step: 0, verdict: "unknown" });
  const over = await world.until(id, ({ endedAt }) => endedAt !== null, 40);
  expect(over.state).toBe("rolled_back");
  expect(world.ours).toEqual([5, 0]);
});

it("goes on when a person says so, without a verdict, to a step of the plan", async () => {
  const world = new World("promote");
  const { id } = await world.start();
  expect(await world.stub.command(id, "promote", { percent: 7 }, "kim")).toMatchObject({
    ok: false,
    code: "bad_request",
  });
  const promoted = await world.stub.command(id, "promote", { percent: 50, reason: "We are sure." }, "kim");
  expect(promoted).toMatchObject({ ok: true, value: { step: 1, percent: 50 } });
  expect(await world.stub.command(id, "promote", { percent: 5 }, "kim")).toMatchObject({
    ok: false,
    code: "bad_request",
  });
  const said = (await world.events(id)).find(({ kind }) => kind === "command");
  expect(said).toMatchObject({ actor: "kim", text: "kim goes on to 50 %, without a verdict. We are sure." });
  expect(await world.stub.command(id, "promote", {}, "kim")).toMatchObject({ ok: true, value: { state: "promoted" } });
  expect(world.ours).toEqual([5, 50, 100]);
});

it("stays at its step while paused, and takes back what is worse all the same", async () => {
  const world = new World("paused");
  const { id } = await world.start();
  await world.stub.command(id, "pause", {}, "kim");
  world.verdict = "not_worse";
  await world.looks(60);
  expect(await world.rollout(id)).toMatchObject({ state: "paused", step: 0 });
  await world.stub.command(id, "resume", {}, "kim");
  await world.until(id, ({ step }) => step === 1, 40);
  await world.stub.command(id, "pause", {}, "kim");
  world.verdict = "worse";
  await world.looks(1);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back" });
  expect(world.ours).toEqual([5, 50, 0]);
});

it("aborts at once, also blind and paused, and only once", async () => {
  const world = new World("abort");
  const { id } = await world.start();
  await world.stub.command(id, "pause", {}, "kim");
  world.blind = ["No Ingester answers."];
  const aborted = await world.stub.command(id, "abort", { reason: "Customers call." }, "kim");
  expect(aborted).toMatchObject({
    ok: true,
    value: { state: "aborted", percent: 0, reason: "kim took it back. Customers call." },
  });
  expect(await world.stub.command(id, "abort", {}, "kim")).toMatchObject({ ok: false, code: "ended" });
  expect(world.ours).toEqual([5, 0]);
});

it("runs one rollout at a time, and answers the same one to who asks again with its id", async () => {
  const world = new World("one");
  const id = crypto.randomUUID();
  const first = world.start({ id });
  const second = world.stub.start({ script: world.script, version: "new", plan: PLAN }, "other");
  const results = await Promise.allSettled([first, second]);
  expect(results[0]).toMatchObject({ status: "fulfilled", value: { id } });
  expect(results[1]).toMatchObject({ status: "fulfilled", value: { ok: false, code: "rollout_running" } });
  expect((await world.start({ id })).id).toBe(id);
  expect(await world.stub.current()).toBe(id);
  expect(world.asked).toEqual([5]);
});

it("begins nothing that could not be taken back, and what it warns of only when told to", async () => {
  const world = new World("preflight");
  const request = { script: world.script, version: "new", plan: PLAN };
  world.requests = 0;
  const warned = await world.stub.start(request, "releaser");
  expect(warned).toMatchObject({
    ok: false,
    code: "preflight_failed",
    preflight: { ok: true, findings: [{ code: "no_traffic" }] },
  });
  const refused = await world.stub.start(
    { ...request, version: "00000000-0000-4000-8000-000000000000", force: true },
    "releaser",
  );
  expect(refused).toMatchObject({ ok: false, code: "preflight_failed", preflight: { ok: false } });
  world.isConnected = false;
  expect(await world.stub.start(request, "releaser")).toMatchObject({ ok: false, code: "not_connected" });
  world.isConnected = true;
  expect(world.asked).toEqual([]);
  const { id, state } = await world.start({ force: true });
  expect(state).toBe("running");
  expect((await world.events(id))[0]?.text).toContain("Started although preflight warned.");
  const unwarned = new World("forced");
  const { id: forced } = await unwarned.start({ force: true });
  expect((await unwarned.events(forced))[0]?.text).not.toContain("preflight warned");
});

it("warns when new issues could not be told from old ones, unless nobody asks for them", async () => {
  const world = new World("maps");
  world.mapped = ["old"];
  const request = { script: world.script, version: "new", plan: PLAN };
  const gates = { issues: null };
  expect(await world.stub.preflight(request)).toMatchObject({
    value: { findings: [{ code: "no_source_map", level: "warn" }] },
  });
  expect(await world.stub.preflight({ ...request, plan: { ...PLAN, gates } })).toMatchObject({
    value: { findings: [] },
  });
  world.mapped = ["old", "new"];
  expect(await world.stub.preflight(request)).toMatchObject({ value: { findings: [] } });
});

it("refuses a split that somebody else made: which version is good is not for it to say", async () => {
  const world = new World("split");
  world.cloudflare.act(world.script, [
    { version: "old", percent: 90 },
    { version: "new", percent: 10 },
  ]);
  const refused = await world.stub.start({ script: world.script, version: "new" }, "releaser");
  expect(refused).toMatchObject({
    ok: false,
    code: "preflight_failed",
    preflight: { findings: [{ code: "split_live" }] },
  });
});

it("keeps each decision with what it saw, each action with request and answer, and says so in D1 once", async () => {
  const world = new World("record");
  const { id } = await world.start();
  world.verdict = "not_worse";
  await world.until(id, ({ step }) => step === 1);
  world.verdict = "worse";
  await world.looks(3);
  const events = await world.events(id);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.slice(0, 2)).toEqual(["started", "preflight"]);
  expect(kinds.at(-1)).toBe("ended");
  const decisions = events.filter(({ kind }) => kind === "decision");
  expect(decisions.map(({ judgement }) => judgement?.verdict)).toEqual(["unknown", "not_worse", "not_worse", "worse"]);
  const asked = events.filter(({ request }) => request !== undefined);
  expect(asked.map(({ answer }) => answer?.ok)).toEqual([true, true, true]);
  expect(asked.map(({ request }) => request?.versions.at(-1)?.percent)).toEqual([5, 50, 100]);
  const row = await env.DB.prepare("SELECT state, row FROM rollouts WHERE id = ?")
    .bind(id)
    .first<{ state: string; row: string }>();
  expect(row?.state).toBe("rolled_back");
  expect(JSON.parse(row?.row ?? "")).toEqual(await world.rollout(id));
  const told = await env.DB.prepare("SELECT kind FROM notifications WHERE script = ? ORDER BY id")
    .bind(world.script)
    .all<{ kind: string }>();
  expect(told.results.map(({ kind }) => kind)).toEqual(["rollout.started", "rollout.rolled_back"]);
});

it("names what was new in the version also when that is known only after the verdict, once", async () => {
  const world = new World("late-issue");
  const { id } = await world.start();
  world.verdict = "worse";
  await world.looks(3);
  const issue = {
    id: 7,
    title: "Cannot read eta",
    type: "TypeError",
    frame: null,
    isMapped: false,
    count: 3,
    firstSeen: 0,
  };
  world.issues = [{ issue, old: 0, new: 3 }];
  await world.looks(5);
  world.issues = [{ issue: { ...issue, frame: "src/delivery.ts:18:9 in estimate", isMapped: true }, old: 0, new: 9 }];
  await world.looks(5);
  const notices = (await world.events(id)).filter(({ kind }) => kind === "notice");
  expect(notices.map(({ text }) => text)).toEqual([
    "New in v2 (new): Cannot read eta.",
    "New in v2 (new): Cannot read eta (src/delivery.ts:18:9 in estimate).",
  ]);
  expect(notices.at(-1)?.issues).toMatchObject([{ id: 7, isMapped: true }]);
});

it("wakes itself every 2 s while it runs, and no more when all is told", async () => {
  const world = new World("wakes");
  const { id } = await world.start();
  expect(world.wakes.at(-1)).toBe(2_000);
  await world.stub.command(id, "abort", {}, "kim");
  expect(world.wakes.at(-1)).toBe(2_000);
  await world.looks(40);
  expect(world.wakes.at(-1)).toBe(null);
});
