/** docs/rollouts.md and the command's help are what people go by: they must not lag behind the code. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../../cli/failure.ts";
import { helpOf } from "../../../cli/help.ts";
import { PLAN_OPTIONS, planOf, readPlanOptions } from "../../../cli/rollout/plan.ts";
import { DEFAULT_PLAN } from "../../../workers/api/contract.ts";
import { ROUTES } from "../../../workers/api/routes.ts";
import { RARE_CLASS } from "../../../workers/rollouts/decide/limits.ts";
import { readPlan } from "../../../workers/rollouts/decide/plan.ts";
import { KEPT_ROLLOUTS, LOOK_MS, VERSION_WINDOW } from "../../../workers/rollouts/guard/limits.ts";

const text = readFileSync("docs/rollouts.md", "utf8");

describe("docs/rollouts.md", () => {
  test("has the default plan", () => {
    const json = text.split("```json")[1]?.split("```")[0] ?? "";
    expect(JSON.parse(json)).toEqual(DEFAULT_PLAN);
  });

  test("has the numbers of the code", () => {
    expect(LOOK_MS).toBe(2_000);
    for (const said of [
      "Looked at every two seconds",
      `the newest ${VERSION_WINDOW},`,
      `less than ${RARE_CLASS * 100} % of a Worker's invocations`,
      `a Worker's last ${KEPT_ROLLOUTS} rollouts`,
    ])
      expect(text).toContain(said);
  });

  test("has every exit code, and so has the help", () => {
    for (const code of Object.values(EXIT)) expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, "m"));
    for (const code of [EXIT.takenBack, EXIT.stillRunning, EXIT.stopped, EXIT.refused])
      for (const topic of ["rollout start", "deploy"] as const)
        expect(helpOf(topic)).toMatch(new RegExp(`\\b${code}\\b`));
  });

  test("has options that the command takes, and gates that the platform takes", () => {
    const given = [...text.matchAll(/`--gate '?([^'`]+)'?`/g)].map((match) => match[1] as string);
    expect(given.length).toBeGreaterThanOrEqual(4);
    const plan = planOf(readPlanOptions({ gate: given, steps: "1:2m,10:30m,100" }));
    expect(readPlan(plan)).toMatchObject({ ok: true });
    for (const option of Object.keys(PLAN_OPTIONS)) expect(helpOf("rollout start")).toContain(`--${option}`);
  });

  test("has every route, with its scope", () => {
    const access = readFileSync("docs/access.md", "utf8");
    for (const { method, path, scope } of ROUTES.filter((route) => route.path.startsWith("/api/v1/rollouts"))) {
      const last = path.split("/").at(-1) as string;
      for (const document of [text, access]) {
        const rows = document.split("\n").filter((line) => line.startsWith("| `") && line.includes(last));
        const scopes = scope
          .split(" or ")
          .map((one) => `\`${one}\``)
          .join(" or ");
        expect(
          rows.some((row) => row.includes(method) && row.includes(scopes)),
          `${method} ${path}`,
        ).toBe(true);
      }
    }
  });
});
