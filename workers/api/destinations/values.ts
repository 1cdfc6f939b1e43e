/**
 * The values that somebody filled in for an integration, checked against its
 * fields, and put together with the secrets that are stored. Pure.
 *
 * A secret that is left out stays, an empty one is taken away. One that stays never
 * follows an address: whoever may edit a destination could otherwise have its key
 * sent to a host of their own.
 */

import { defaultsOf } from "../../delivery/destinations.ts";
import { guardUrl } from "../../delivery/egress/guard.ts";
import type { Integration, Values } from "../../integrations/contract.ts";
import type { CatalogEntry, CatalogField } from "../contract.ts";

/** Field → what is wrong with it. */
export type Problems = Record<string, string>;

/** What is stored of the destination that is edited, its secrets opened. */
export interface Before {
  values: Readonly<Record<string, string>>;
  secrets: Readonly<Record<string, string>>;
  /** Secret fields that are stored and do not open; and why. */
  unopened?: Readonly<Record<string, string>>;
}

export interface Filled {
  problems: Problems;
  /** With defaults: what `check`, `test` and `send` are handed. */
  all: Values;
  /** To store: fields that are no secret and were filled in. */
  values: Record<string, string>;
  /** To store: secrets, those that stay among them. */
  secrets: Record<string, string>;
}

/** Text fields whose change may lead a request elsewhere; fields of type `url` always may. */
const LEADS_ELSEWHERE = /host|domain|site|endpoint|address|server|region|zone/i;

export function fillIn(
  integration: Integration,
  given: Readonly<Record<string, string>>,
  { before, allowLoopback }: { before?: Before | undefined; allowLoopback: boolean },
): Filled {
  const { fields } = integration;
  const problems: Problems = {};
  for (const name of Object.keys(given)) {
    if (!fields.some((field) => field.name === name)) problems[name] = `${integration.name} has no field of this name.`;
  }
  const values: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  for (const field of fields) {
    const text = (given[field.name] ?? "").trim();
    if (text === "") continue;
    const problem = problemOf(field, text, allowLoopback) ?? (field.secret ? undefined : shownProblem(field, text));
    if (problem !== undefined) problems[field.name] = problem;
    (field.secret ? secrets : values)[field.name] = text;
  }
  if (before !== undefined) keepSecrets(integration, { before, given, values, secrets, problems });
  const all = { ...defaultsOf(fields), ...values, ...secrets };
  for (const field of fields) {
    if (field.required && (all[field.name] ?? "") === "")
      problems[field.name] ??= `${field.label} is needed.${howToMake(field)}`;
  }
  // What its own check says may lean on values that are there and right.
  if (Object.keys(problems).length === 0) Object.assign(problems, integration.check?.(all) ?? {});
  return { problems, all, values, secrets };
}

interface Kept extends Pick<Filled, "values" | "secrets" | "problems"> {
  before: Before;
  given: Readonly<Record<string, string>>;
}

function keepSecrets({ fields }: CatalogEntry, { before, given, values, secrets, problems }: Kept): void {
  const moved = fields.find((field) =>
    field.secret
      ? isOtherAddress(before.secrets[field.name], secrets[field.name])
      : leadsElsewhere(field, fields, before.values, values),
  );
  for (const [name, why] of Object.entries(before.unopened ?? {})) {
    // Left out it would be lost, and requests would go out without it.
    if (given[name] === undefined) problems[name] = `${why} Enter it again, or send it empty to take it out.`;
  }
  for (const field of fields) {
    const stored = before.secrets[field.name];
    if (!field.secret || stored === undefined || given[field.name] !== undefined) continue;
    if (moved === undefined) secrets[field.name] = stored;
    else
      problems[field.name] =
        `Enter it again: ${moved.label} leads to another place now, and what is stored is not sent there.`;
  }
}

function leadsElsewhere(
  field: CatalogField,
  fields: readonly CatalogField[],
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): boolean {
  const fallback = defaultsOf(fields);
  const [was, is] = [before, now].map((values) => values[field.name] ?? fallback[field.name] ?? "") as [string, string];
  if (was === is) return false;
  if (field.type === "url") return originOf(was) !== originOf(is);
  // Options of a list are the integration's own, so they lead to its vendor.
  return field.type === "text" && LEADS_ELSEWHERE.test(field.name);
}

/** Addresses that hold a token are secrets. One that is not entered anew stays where it is. */
function isOtherAddress(was: string | undefined, is: string | undefined): boolean {
  if (was === undefined || is === undefined || was === is) return false;
  return (URL.canParse(was) || URL.canParse(is)) && originOf(was) !== originOf(is);
}

/** Another path at the same place is the same receiver. */
const originOf = (text: string) => URL.parse(text)?.origin ?? text;

function problemOf(field: CatalogField, text: string, allowLoopback: boolean): string | undefined {
  if (!text.isWellFormed() || /[^\P{Cc}\t\n\r]/u.test(text)) return "It holds characters that cannot be sent.";
  // An address may hide in any field: webhooks and DSNs are secrets.
  if (field.type === "url" || /^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    const guarded = guardUrl(field.type === "url" ? text : withoutUser(text), allowLoopback);
    return guarded.ok ? undefined : guarded.failure.message;
  }
  switch (field.type) {
    case "select":
      return field.options === undefined || field.options.some(({ value }) => value === text)
        ? undefined
        : `Choose one of ${field.options.map(({ value }) => value).join(", ")}.`;
    case "boolean":
      return text === "true" || text === "false" ? undefined : "It is true or false.";
    case "number":
      return Number.isFinite(Number(text)) ? undefined : "It is a number.";
    case "text":
    case "secret":
      return undefined;
  }
}

/** Whoever may read here sees it, and what stands behind a `?` is as a rule a token. */
function shownProblem({ type }: CatalogField, text: string): string | undefined {
  if (type !== "url" || (URL.parse(text)?.search ?? "") === "") return undefined;
  return "Leave the part after the ? out: this address is no secret and is shown. Credentials belong into a field that is kept secret.";
}

/** A DSN carries its key where a user would stand. */
function withoutUser(text: string): string {
  const url = URL.parse(text);
  if (url === null) return text;
  url.username = "";
  url.password = "";
  return url.href;
}

/** One that is ours to make: the form makes it, who calls the API does it by hand. */
const howToMake = ({ generate }: CatalogField) =>
  generate === undefined ? "" : ` Make one: echo "${generate.prefix}$(openssl rand -base64 ${generate.bytes})"`;
