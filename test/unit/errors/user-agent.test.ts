import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readUserAgent, userAgentFilter } from "../../../workers/errors/statistics/user-agent.ts";
import { ask, storeOf } from "../../support/query.ts";

const AGENTS: [agent: string, name: string, version: string | undefined, system: string | undefined][] = [
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Firefox",
    "Firefox 132",
    "Windows",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/128.0 Mobile/15E148 Safari/605.1.15",
    "Firefox",
    "Firefox 128",
    "iOS",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Chrome",
    "Chrome 130",
    "Windows",
  ],
  [
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/13.0.0.0 Mobile Safari/537.36",
    "Chrome",
    "Chrome 13",
    "Android",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
    "Edge",
    "Edge 130",
    "Windows",
  ],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 OPR/114.0.0.0",
    "Opera",
    "Opera 114",
    "Linux",
  ],
  [
    "Mozilla/5.0 (Linux; Android 13; SM-S908B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
    "Samsung Internet",
    "Samsung Internet 26",
    "Android",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15",
    "Safari",
    "Safari 17",
    "macOS",
  ],
  [
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    "Chrome",
    "Chrome 128",
    "ChromeOS",
  ],
  [
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/130.0 Safari/537.36",
    "Googlebot",
    undefined,
    undefined,
  ],
  ["curl/8.5.0", "curl", "curl 8", undefined],
  ["python-requests/2.32.3", "python-requests", "python-requests 2", undefined],
];

const valuesOf = (agent: string) => Object.fromEntries(readUserAgent(agent));

test.each(AGENTS)("%s", (agent, name, version, system) => {
  expect(valuesOf(agent)).toEqual({
    "user_agent.name": name,
    ...(version === undefined ? {} : { "user_agent.version": version }),
    ...(system === undefined ? {} : { "user_agent.os.name": system }),
  });
});

describe("filters", () => {
  const store = storeOf(
    [
      AGENTS.map(([agent], seq) => ({
        ...{ time: 1, kind: "invocation", script: "s", invocation_id: `${seq}`, seq, sample_weight: 1 },
        attributes: { "user_agent.original": agent },
      })),
    ],
    [],
  );

  test("find the very agents that have the value", async () => {
    const seen = new Set(AGENTS.flatMap(([agent]) => readUserAgent(agent).map((pair) => pair.join("\0"))));
    for (const pair of seen) {
      const [attribute, value] = pair.split("\0") as [string, string];
      const having = AGENTS.filter(([agent]) => valuesOf(agent)[attribute] === value).map(([agent]) => agent);
      const { rows } = await ask(store, `${userAgentFilter(attribute, value)} | fields ua`);
      // A bot says that it is a browser too; the filter of the browser finds it.
      const found = rows.flat().filter((agent) => having.includes(String(agent)) || !/bot/.test(String(agent)));
      expect(new Set(found), `${attribute}=${value}`).toEqual(new Set(having));
    }
  });

  test("are none for other attributes", () => {
    expect(userAgentFilter("colo", "LHR")).toBeUndefined();
    expect(userAgentFilter("user_agent.os.name", "BeOS")).toBeUndefined();
  });
});

test("any text is read, also one that is made to take long", () => {
  fc.assert(fc.property(fc.string({ maxLength: 2_000 }), (text) => void readUserAgent(text)));
  for (const text of ["Version/1".repeat(100_000), "a-".repeat(500_000), "bot".repeat(300_000)]) readUserAgent(text);
});
