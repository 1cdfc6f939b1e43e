/** A rollout on a terminal: what is shown, that it never wraps, and that hostile text does nothing to the terminal. */
import { describe, expect, it } from "vitest";
import type { Stream } from "../../../../cli/output.ts";
import { Changes } from "../../../../cli/rollout/render/changes.ts";
import { statusLines } from "../../../../cli/rollout/render/status.ts";
import { Screen } from "../../../../cli/rollout/screen.ts";
import { plain } from "../../../../cli/tail/render/colour.ts";
import type { RolloutAnswer } from "../../../../workers/api/contract.ts";
import { answerOf, eventOf, gateOf, START } from "./fixtures.ts";

const lines = (answer: RolloutAnswer, columns = 120) =>
  statusLines(answer, { paint: plain, columns, now: START + 90_000 });
const HOSTILE = "a\u001b[2J\u001b]0;owned\u0007\r\nb\u202e\u2028c";

describe("the status", () => {
  it("shows both versions, the interval of each gate, how far the step is, and why", () => {
    expect(lines(answerOf())).toEqual([
      "shop  running at 5 %, step 2 of 5  1 min 30 s  r-1",
      "  old   95 %  6a1d2f0e v1.9  2,000 requests, 1 % failed",
      '  new    5 %  9c3b7e42 v2.0 "faster"  100 requests, 3 % failed',
      "  Error rate of requests              not yet known  1 % → 3 %  +2 % [−0.5 %, +6 %]",
      "  ████░░░░░░░░░░░░░░░░ 1 min of 5 min, then 25 %  (without a verdict taken back after 2 h, 1 min so far)",
      "  Too few requests yet.",
    ]);
  });

  it("shows new issues with their line, and what cannot be seen", () => {
    const issue = {
      id: 7,
      title: "x is undefined",
      type: "TypeError",
      frame: "src/a.ts:1:2 in f",
      isMapped: true,
      count: 3,
      firstSeen: 1,
    };
    const text = lines(answerOf({}, { issues: [issue], blind: ["Ingester 0 does not answer."] })).join("\n");
    expect(text).toContain("new issue 7: x is undefined  src/a.ts:1:2 in f  3 times");
    expect(text).toContain("cannot see: Ingester 0 does not answer.");
  });

  it("of a split that is only watched promises no next step", () => {
    const text = lines(answerOf({ isWatched: true, mode: "advise" })).join("\n");
    expect(text).toContain("watched only");
    expect(text).not.toMatch(/then 25 %|░/);
  });

  it("of one that is over has no step under way", () => {
    const text = lines(answerOf({ state: "rolled_back", percent: 0, endedAt: START + 30_000 })).join("\n");
    expect(text).toContain("shop  taken back  30 s");
    expect(text).not.toContain("░");
  });

  it("is never wider than the terminal, also with wide characters", () => {
    const answer = answerOf({
      reason: "很长的标题".repeat(40),
      new: { id: "v2", tag: "標籤".repeat(30), message: HOSTILE },
    });
    for (const columns of [20, 40, 79]) {
      for (const text of lines(answer, columns)) {
        const cells = [...text].reduce((n, c) => n + (c >= "\u3000" ? 2 : 1), 0);
        expect(cells, text).toBeLessThanOrEqual(columns);
      }
    }
  });

  it("passes nothing on that a terminal would obey", () => {
    const hostile = { id: HOSTILE, tag: HOSTILE, message: HOSTILE };
    const issue = { id: 1, title: HOSTILE, type: HOSTILE, frame: HOSTILE, isMapped: false, count: 1, firstSeen: 1 };
    const answer = answerOf(
      { id: HOSTILE, script: HOSTILE, reason: HOSTILE, old: hostile, new: hostile, startedBy: HOSTILE },
      { issues: [issue], blind: [HOSTILE], events: [eventOf(1, HOSTILE, { actor: HOSTILE, issues: [issue] })] },
    );
    if (answer.judgement !== null) answer.judgement.gates = [gateOf({ label: HOSTILE, reason: HOSTILE })];
    const text = [...lines(answer, 1_000), ...new Changes().lines(answer, START)].join("");
    expect(text).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
  });
});

describe("the log", () => {
  it("has a line per line of the record, each once", () => {
    const changes = new Changes();
    const first = eventOf(1, "To 5 %.");
    expect(changes.lines(answerOf({}, { events: [first] }), START)).toEqual(["00:16:41  To 5 %."]);
    const second = eventOf(2, "Paused: why not", { kind: "command", actor: "anna" });
    expect(changes.lines(answerOf({}, { events: [first, second] }), START)).toEqual([
      "00:16:42  Paused: why not (anna)",
    ]);
    expect(changes.lines(answerOf({}, { events: [first, second] }), START)).toEqual([]);
  });

  it("says when nothing can be seen, and when it can again", () => {
    const changes = new Changes();
    changes.lines(answerOf(), START);
    expect(changes.lines(answerOf({}, { blind: ["Nothing arrives."] }), START)).toEqual([
      "00:16:40  cannot see: Nothing arrives.",
    ]);
    expect(changes.lines(answerOf({}, { blind: ["Nothing arrives."] }), START)).toEqual([]);
    expect(changes.lines(answerOf(), START)).toEqual(["00:16:40  sees again"]);
  });

  it("gives a sign of life to a build that waits", () => {
    const changes = new Changes();
    changes.lines(answerOf(), START);
    expect(changes.lines(answerOf(), START + 299_000)).toEqual([]);
    expect(changes.lines(answerOf(), START + 300_000)).toEqual(["00:21:40  still at 5 %: Too few requests yet."]);
    expect(changes.lines(answerOf(), START + 301_000)).toEqual([]);
  });
});

describe("the block on a terminal", () => {
  const terminal = (rows = 24) => {
    const written: string[] = [];
    const out: Stream = { write: (text) => written.push(text), isTTY: true, columns: 80, rows };
    return { written, screen: new Screen(out) };
  };

  it("is drawn in its place, and only when it says something else", () => {
    const { written, screen } = terminal();
    screen.draw(["a", "b"]);
    screen.draw(["a", "b"]);
    expect(written).toHaveLength(1);
    screen.draw(["a", "c", "d"]);
    expect(written[1]).toBe("\u001b[2A\r\u001b[2Ka\n\u001b[2Kc\n\u001b[2Kd\n\u001b[J");
  });

  it("is no higher than the terminal, of which the top could not be drawn again", () => {
    const { written, screen } = terminal(5);
    screen.draw(["1", "2", "3", "4", "5", "6"]);
    expect(written[0]?.match(/\n/g)).toHaveLength(3);
  });

  it("stays below what is said meanwhile", () => {
    const { written, screen } = terminal();
    screen.draw(["a"]);
    screen.say("lost");
    expect(written.slice(1)).toEqual(["\u001b[1A\r\u001b[Jlost\n", "\u001b[2Ka\n\u001b[J"]);
  });
});
