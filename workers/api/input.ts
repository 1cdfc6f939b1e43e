/** What a client sent, checked against a schema: parameters and JSON bodies. Anything wrong is a `bad_request` that says where. */
import * as v from "valibot";
import type { ApiContext } from "./context.ts";
import { type Failure, fail } from "./errors.ts";

export type Input<T> = { ok: true; value: T } | { ok: false; failure: Failure };
type Schema<T> = v.GenericSchema<unknown, T>;

/** Issues listed in an answer. */
const MAX_ISSUES = 10;

export const readParams = <T>(c: ApiContext, schema: Schema<T>): Input<T> =>
  check(schema, { ...c.req.query(), ...c.req.param() }, "The parameters do not fit.");

export async function readJson<T>(c: ApiContext, schema: Schema<T>): Promise<Input<T>> {
  let body: unknown;
  try {
    body = await c.req.json();
  } catch (error) {
    const details = { reason: error instanceof Error ? error.message : String(error) };
    return { ok: false, failure: fail("bad_request", "The body is not JSON.", { details }) };
  }
  // valibot takes an array for an object that has nothing but optional fields.
  if (Array.isArray(body)) return { ok: false, failure: fail("bad_request", "The body must be a JSON object.") };
  return check(schema, body, "The body does not fit.");
}

function check<T>(schema: Schema<T>, value: unknown, message: string): Input<T> {
  const result = v.safeParse(schema, value, { abortPipeEarly: true });
  if (result.success) return { ok: true, value: result.output };
  const details = result.issues
    .slice(0, MAX_ISSUES)
    .map((issue) => ({ path: v.getDotPath(issue) ?? "", expected: issue.expected, message: issue.message }));
  return { ok: false, failure: fail("bad_request", message, { details }) };
}

/** Names travel into SQL parameters, object names and keys: no control characters, no halves of surrogate pairs. */
const isPlainText = (text: string) => text.isWellFormed() && !/\p{Cc}/u.test(text);

export const plainText = (max: number) =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(max), v.check(isPlainText, "Control characters are not allowed."));

/** Worker names have at most 63 characters on the platform; items from elsewhere may be freer. `#` as ingest keeps it. */
export const scriptName = v.pipe(
  plainText(255),
  v.transform((name) => name.replaceAll("#", "_")),
);

/** A whole number in a URL. */
export const wholeNumber = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, "A whole number is expected."),
    v.transform(Number),
    v.minValue(min),
    v.maxValue(max),
  );
