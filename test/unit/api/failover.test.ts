/** Which destination may take over for which. */
import { expect, it } from "vitest";
import type { Feed } from "../../../workers/api/contract.ts";
import { failoverProblem } from "../../../workers/api/destinations/failover.ts";

const link = (id: string, failoverTo: string | null = null, takes: Feed[] = ["errors", "logs"]) => ({
  ...{ id, name: `D ${id}`, failoverTo, takes },
});
const problem = (id: string | null, failoverTo: string | null, others: ReturnType<typeof link>[], standby = false) =>
  failoverProblem({ id, standby, failoverTo, rules: { feeds: ["errors"] } }, others);

it.each<[string, Parameters<typeof problem>, RegExp | undefined]>([
  ["none", ["a", null, []], undefined],
  ["another", ["a", "b", [link("b")]], undefined],
  ["one that has a failover of its own", ["a", "b", [link("b", "c"), link("c")]], undefined],
  ["itself", ["a", "a", []], /itself/],
  ["one that is not there", ["a", "b", []], /no destination b/],
  ["one that leads back", ["a", "b", [link("b", "a")]], /D b → this one/],
  ["one that leads back over others", ["a", "b", [link("b", "c"), link("c", "a")]], /D b → D c → this one/],
  ["one in a circle of others, which must not hang", ["a", "b", [link("b", "c"), link("c", "b")]], undefined],
  ["one that cannot take what is sent", ["a", "b", [link("b", null, ["notices"])]], /cannot take errors/],
  ["a standby's", ["a", "b", [link("b")], true], /standby/i],
])("%s", (_, given, expected) => {
  const found = problem(...given);
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(expected);
});
