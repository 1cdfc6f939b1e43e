import { describe, expect, it } from "vitest";
import { overloadNotice, overloadStopNotice } from "../../../workers/live/trace/notice.ts";

const NOW = 1_795_300_000_000;
const notShown = { events: 1_234, errors: 3, kinds: { invocation: 400, log: 834 } };

describe("a notice", () => {
  it("is a trace item that both formats of wrangler tail take", () => {
    for (const [type, text] of [
      ["overload", overloadNotice("shop", notShown, NOW)],
      ["overload-stop", overloadStopNotice("shop", notShown, NOW)],
    ]) {
      expect(JSON.parse(text as string)).toMatchObject({
        event: { type, message: expect.any(String), notShown },
        ...{ logs: [], exceptions: [], eventTimestamp: NOW, scriptName: "shop" },
      });
    }
  });

  it("tells how many events of which kind were left out", () => {
    const { message } = JSON.parse(overloadNotice("shop", notShown, NOW)).event;
    expect(message).toMatch(/^Not shown: 1,234 events of shop \(400 invocation, 834 log\), 3 of them errors\./);
    expect(JSON.parse(overloadNotice("shop", { events: 1, errors: 0, kinds: { log: 1 } }, NOW)).event.message).toMatch(
      /^Not shown: 1 event of shop \(1 log\), none of them errors\./,
    );
  });

  it("tells apart what nobody could compare with the filters", () => {
    const said = (hidden: Parameters<typeof overloadNotice>[1]) =>
      JSON.parse(overloadNotice("shop", hidden, NOW)).event.message;
    const gap = "Not compared with the filters: 7 events of shop, more than could be passed on.";
    expect(said({ events: 0, errors: 0, kinds: {}, unchecked: 7 })).toMatch(new RegExp(`^${gap}`));
    expect(said({ ...notShown, unchecked: 7 })).toContain(`3 of them errors. ${gap}`);
  });

  it("of the end says what was left out last, if anything", () => {
    const nothing = { events: 0, errors: 0, kinds: {} };
    expect(JSON.parse(overloadStopNotice("shop", nothing, NOW)).event.message).toBe(
      "From here on everything of shop is shown again.",
    );
    expect(JSON.parse(overloadStopNotice("shop", notShown, NOW)).event.message).toMatch(
      /^Not shown: 1,234 .* again\.$/,
    );
  });
});
