/** Log-in. The log line carries what it should not: redaction is what keeps it out of the store. */
import { json, problem, readJson } from "../../../shared/http.ts";
import { log } from "../../../shared/log.ts";
import type { Call } from "../env.ts";

const DEMO_PASSWORD = "correct-horse";

export async function logIn(call: Call): Promise<Response> {
  const body = await readJson(call.request);
  const email = String(body?.email ?? "");
  const password = String(body?.password ?? "");
  if (password !== DEMO_PASSWORD) {
    log.warn("login failed", {
      email,
      password,
      user: { id: call.session.userId },
      ip: call.request.headers.get("cf-connecting-ip"),
    });
    return problem(401, "bad_credentials", "That e-mail address and password do not belong together");
  }
  log.info("login", { email, user: { id: call.session.userId }, access_token: `demo-token-${call.session.id}` });
  return json({ user: call.session.userId });
}
