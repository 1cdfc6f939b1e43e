/** `tailrace secrets rotate`: everything that is sealed, sealed again under the first key of TAILRACE_SECRET_KEY. */
import type { SecretsAnswer } from "../../workers/api/contract.ts";
import type { ApiClient } from "../api/client.ts";
import { EXIT } from "../failure.ts";
import { count, type Output } from "../output.ts";
import { safeJson, safeLine } from "../safe-text.ts";

export async function rotateSecrets(api: ApiClient, json: boolean, output: Output): Promise<number> {
  const answer = await api.call<SecretsAnswer>("POST", "/api/v1/secrets/rotate");
  if (json) output.say(safeJson(answer));
  else report(answer, output);
  return answer.unreadable.length === 0 ? EXIT.ok : EXIT.failed;
}

function report({ key, sealed, resealed = 0, unreadable }: SecretsAnswer, output: Output): void {
  output.say(`${count(resealed, "secret")} sealed again under the key ${safeLine(key ?? "")}.`);
  const others = sealed.filter((one) => one.key !== key);
  if (unreadable.length > 0)
    output.error(`no key opens these any more, so enter them again: ${unreadable.map(safeLine).join("; ")}`);
  else if (others.length > 0)
    output.warn(`${others.map((one) => `${one.count} under ${safeLine(one.key)}`).join(", ")}: run it once more`);
  else output.note("No other key is needed: it may go from TAILRACE_SECRET_KEY.");
}
