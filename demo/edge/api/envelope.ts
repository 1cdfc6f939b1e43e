/** Cloudflare's envelope around results and errors. */
import type { Refusal, Result } from "../account/types.ts";

export function ok(result: unknown, more: { result_info?: object } = {}): Response {
  return Response.json({ success: true, errors: [], messages: [], result, ...more });
}

export function failure({ status, code, message }: Refusal): Response {
  return Response.json({ success: false, errors: [{ code, message }], messages: [], result: null }, { status });
}

/** In Cloudflare's words, what is not there. */
export const noSuchScript = () =>
  failure({ status: 404, code: 10007, message: "This Worker does not exist on your account." });

export const answer = <T>(result: Result<T>, shape: (value: T) => unknown): Response =>
  result.ok ? ok(shape(result.value)) : failure(result.refusal);
