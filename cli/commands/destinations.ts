/** `tailrace destinations list | test`: where things are sent, how that goes, and whether one answers. */
import type { DestinationRow, DestinationsAnswer, TestAnswer } from "../../workers/api/contract.ts";
import type { ApiClient } from "../api/client.ts";
import { CliFailure, EXIT } from "../failure.ts";
import { count, type Output } from "../output.ts";
import { safeJson, safeLine } from "../safe-text.ts";

const PATH = "/api/v1/destinations";

export async function listDestinations(api: ApiClient, json: boolean, output: Output): Promise<number> {
  const answer = await api.call<DestinationsAnswer>("GET", PATH);
  const { destinations } = answer;
  if (json) output.say(safeJson(answer));
  else if (destinations.length === 0)
    output.note("There are no destinations. Integrations, in the dashboard, adds one.");
  const widest = Math.max(0, ...destinations.map(({ name }) => name.length));
  if (!json) for (const one of destinations) output.say(lineOf(one, widest));
  return EXIT.ok;
}

function lineOf({ name, integration, health }: DestinationRow, widest: number): string {
  const { condition, delivered, deadLetters, queued, sentence } = health;
  const letters = deadLetters === 0 ? "" : `, ${count(deadLetters, "dead letter")}`;
  const waiting = queued === null || queued === 0 ? "" : `, ${queued.toLocaleString("en")} waiting`;
  const figures = `${delivered.toLocaleString("en")} delivered${waiting}${letters}`;
  return `${safeLine(name).padEnd(widest)}  ${integration.padEnd(14)}  ${condition.padEnd(9)}  ${figures}  ${safeLine(sentence)}`;
}

/** A real round trip with what is stored. */
export async function testDestination(api: ApiClient, name: string, json: boolean, output: Output): Promise<number> {
  const { destinations } = await api.call<DestinationsAnswer>("GET", PATH);
  const one = find(destinations, name);
  const { id, integration, values } = one;
  const answer = await api.call<TestAnswer>("POST", `${PATH}/test`, { json: { id, integration, values } });
  if (json) output.say(safeJson(answer));
  else if (answer.ok) output.say(`${safeLine(one.name)}: ${safeLine(answer.message)} (${answer.ms} ms)`);
  else output.error(`${safeLine(one.name)}: ${safeLine(answer.message)}`);
  return answer.ok ? EXIT.ok : EXIT.failed;
}

function find(all: readonly DestinationRow[], name: string): DestinationRow {
  const found = all.find(({ id }) => id === name) ?? all.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const names = all.map((one) => one.name).join(", ") || "none";
  throw new CliFailure(`there is no destination "${safeLine(name)}"; there are: ${safeLine(names)}`);
}
