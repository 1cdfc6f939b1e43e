/** Whether the token will do for uploading, asked before anything is done. */
import type { SessionAnswer } from "../../workers/api/contract.ts";
import { usageFailure } from "../failure.ts";
import type { ApiClient, CallOptions } from "./client.ts";

/** @throws CliFailure that says what is wrong with the address or the token */
export async function checkToken(api: ApiClient, options: CallOptions = {}): Promise<void> {
  const { scope } = await api.call<SessionAnswer>("GET", "/api/v1/session", options);
  if (scope !== "deploy" && scope !== "admin")
    throw usageFailure(`The token has the scope ${scope}; uploading source maps needs one with the scope deploy.`);
}
