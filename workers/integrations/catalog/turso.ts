/**
 * Turso: a token for one database is minted with the Platform API, and written into
 * Workers. https://docs.turso.tech/api-reference/databases/create-token
 */
import * as v from "valibot";
import type { Io, OutgoingRequest, Resource, Values } from "../contract.ts";
import { type Asked, ask } from "../resources/ask.ts";
import { prefixField, prefixProblem } from "../resources/prefix.ts";

const API = "https://api.turso.tech";
/** Of a token that only shows that one can be made. */
const TEST_EXPIRATION = "10m";
/** As `turso db tokens create --expiration` has it. */
const EXPIRATION = /^(never|(\d{1,4}[wdhm])+)$/;
/** As Turso names organizations and databases; what goes into a path. */
const NAME = /^[\w-]{1,128}$/;
const MAX_OPTIONS = 1_000;

const TURSO = {
  name: "Turso",
  advice: {
    unauthorized: "make an API token with: turso auth api-tokens mint tailrace",
    misplaced: "check the names of organization and database, and that the token is of this organization.",
  },
};

/** Answers have had both spellings. */
const organizations = v.pipe(
  v.union([
    v.array(v.object({ slug: v.string() })),
    v.object({ organizations: v.array(v.object({ slug: v.string() })) }),
  ]),
  v.transform((found) => (Array.isArray(found) ? found : found.organizations).map(({ slug }) => slug)),
);
const named = v.pipe(
  v.object({ Name: v.optional(v.string()), name: v.optional(v.string()) }),
  v.transform(({ Name, name }) => Name ?? name ?? ""),
);
const databases = v.pipe(
  v.object({ databases: v.array(named) }),
  v.transform((found) => found.databases.filter((name) => name !== "")),
);
const database = v.pipe(
  v.object({ database: v.object({ Hostname: v.optional(v.string()), hostname: v.optional(v.string()) }) }),
  v.transform((found) => found.database.Hostname ?? found.database.hostname ?? ""),
  v.regex(/^[\w.-]+(:\d+)?$/),
);
const minted = v.object({ jwt: v.pipe(v.string(), v.minLength(20)) });

const base = (values: Values) => `${(values.endpoint || API).replace(/\/+$/, "")}/v1/organizations`;
const ofDatabase = (values: Values) =>
  `${base(values)}/${encodeURIComponent(values.organization ?? "")}/databases/${encodeURIComponent(values.database ?? "")}`;

function send<T>(
  values: Values,
  io: Io,
  request: OutgoingRequest,
  shape: v.GenericSchema<unknown, T>,
): Promise<Asked<T>> {
  const headers = { authorization: `Bearer ${values.token ?? ""}`, accept: "application/json" };
  return ask(io, TURSO, { ...request, headers }, shape);
}

/** @param expiration as EXPIRATION */
function mint(values: Values, io: Io, expiration: string): Promise<Asked<{ jwt: string }>> {
  const query = new URLSearchParams({ expiration, authorization: values.authorization || "full-access" });
  return send(values, io, { method: "POST", url: `${ofDatabase(values)}/auth/tokens?${query}` }, minted);
}

const hostname = (values: Values, io: Io) => send(values, io, { method: "GET", url: ofDatabase(values) }, database);

const turso: Resource = {
  id: "turso",
  name: "Turso",
  role: "resource",
  category: "Resources",
  summary: "A SQLite database at Turso for your Workers: its address and a token of its own, written as secrets.",
  takes: [],
  website: "https://turso.tech",
  mark: { text: "Tu", color: "#0f9d80" },
  idempotent: true,
  fields: [
    {
      name: "token",
      label: "Platform API token",
      type: "secret",
      required: true,
      secret: true,
      help: "From `turso auth api-tokens mint tailrace`, or Settings, API Tokens. It stays in Tailrace: Workers get a token for the one database.",
    },
    {
      name: "organization",
      label: "Organization",
      type: "text",
      required: true,
      secret: false,
      dynamic: true,
      help: "Its slug, as in the address of the dashboard.",
    },
    {
      name: "database",
      label: "Database",
      type: "text",
      required: true,
      secret: false,
      dynamic: true,
      help: "The name of the database.",
    },
    {
      name: "authorization",
      label: "Workers may",
      type: "select",
      required: true,
      secret: false,
      default: "full-access",
      help: "What their token allows.",
      options: [
        { value: "full-access", label: "read and write" },
        { value: "read-only", label: "read only" },
      ],
    },
    {
      name: "expiration",
      label: "Tokens are good for",
      type: "text",
      required: false,
      secret: false,
      advanced: true,
      default: "never",
      example: "90d",
      help: "never, or a time as 90d, 2w, 12h: rotate before it is over.",
    },
    {
      name: "revoke",
      label: "Rotating ends earlier tokens",
      type: "boolean",
      required: false,
      secret: false,
      advanced: true,
      default: "false",
      help: "Turso can only end all tokens of a database at once, those of others too; Workers fail for the seconds until they have the new one.",
    },
    prefixField("TURSO", ["DATABASE_URL", "AUTH_TOKEN"]),
    {
      name: "endpoint",
      label: "Platform API",
      type: "url",
      required: false,
      secret: false,
      advanced: true,
      default: API,
      help: "In place of Turso's own address.",
    },
  ],
  documentation: `**The token**: \`turso auth api-tokens mint tailrace\`, or in Turso's dashboard under *Settings → API Tokens*. It may be limited to one group. Tailrace keeps it encrypted, and uses it to look up the database and to mint a **token for that one database**; only this one is written into your Workers, as \`TURSO_AUTH_TOKEN\`, beside \`TURSO_DATABASE_URL\`.

**Writing a secret** makes a new version of the Worker, which Cloudflare deploys at once.

**Rotating** mints a new token and writes it to all chosen Workers. Turso has no way to end a single token: earlier ones end when they expire. With *Rotating ends earlier tokens* all tokens of the database are ended first, also those that others use.

**Removing** deletes the secrets from the Workers. The database stays, and so does its last token until it expires: \`turso db tokens invalidate <database>\` ends it.`,
  check({ organization = "", database: name = "", expiration = "", prefix }) {
    const problems: Record<string, string> = prefixProblem(prefix);
    if (!NAME.test(organization))
      problems.organization = "Letters, digits, - and _: the slug in the dashboard's address.";
    if (!NAME.test(name)) problems.database = "Letters, digits, - and _: the name of the database.";
    if (expiration !== "" && !EXPIRATION.test(expiration))
      problems.expiration = "Write never, or a time as 90d, 2w, 12h.";
    return problems;
  },
  async test(values, io) {
    const host = await hostname(values, io);
    if (!host.ok) return host;
    const token = await mint(values, io, TEST_EXPIRATION);
    if (!token.ok) return token;
    return { ok: true, message: `Turso has ${values.database} at ${host.value}, and made a token for it.` };
  },
  async options(field, values, io) {
    if (field !== "organization" && field !== "database") return { ok: true, options: [] };
    const asksDatabases = field === "database";
    if (asksDatabases && (values.organization ?? "") === "") return { ok: true, options: [] };
    const path = asksDatabases ? `/${encodeURIComponent(values.organization ?? "")}/databases` : "";
    const found = await send(
      values,
      io,
      { method: "GET", url: base(values) + path },
      asksDatabases ? databases : organizations,
    );
    return found.ok ? { ok: true, options: found.value.slice(0, MAX_OPTIONS) } : found;
  },
  async obtain(values, io, rotate) {
    const host = await hostname(values, io);
    if (!host.ok) return host;
    if (rotate && values.revoke === "true") {
      // Nothing is ended before it is known that a new one can be made.
      const tried = await mint(values, io, TEST_EXPIRATION);
      if (!tried.ok) return tried;
      const ended = await send(values, io, { method: "POST", url: `${ofDatabase(values)}/auth/rotate` }, v.unknown());
      if (!ended.ok) return ended;
    }
    const token = await mint(values, io, values.expiration || "never");
    if (!token.ok) return token;
    const prefix = values.prefix || "TURSO";
    return {
      ok: true,
      secrets: { [`${prefix}_DATABASE_URL`]: `libsql://${host.value}`, [`${prefix}_AUTH_TOKEN`]: token.value.jwt },
    };
  },
  usage({ prefix: chosen }) {
    const prefix = chosen || "TURSO";
    return {
      install: "npm install @libsql/client",
      code: `import { createClient } from "@libsql/client/web";

export default {
  async fetch(request, env) {
    const db = createClient({ url: env.${prefix}_DATABASE_URL, authToken: env.${prefix}_AUTH_TOKEN });
    const { rows } = await db.execute("SELECT 1 AS one");
    return Response.json(rows);
  },
};
`,
    };
  },
};

export default turso;
