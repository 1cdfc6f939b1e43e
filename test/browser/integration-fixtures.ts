/** Integrations as the API answers them, for the tests of their pages: a small catalog, destinations in every condition, Workers, a resource. */
import type {
  CatalogEntry,
  ConnectionsAnswer,
  DeadLetter,
  DestinationHealth,
  DestinationRow,
  DestinationRules,
  PreviewAnswer,
  ResourceRow,
  StatusAnswer,
} from "../../workers/api/contract.ts";
import { RULES } from "../support/destination-rules.ts";

const MINUTE_MS = 60_000;

export const SENTRY: CatalogEntry = {
  id: "sentry",
  name: "Sentry",
  role: "destination",
  category: "Errors",
  summary: "Errors as issues, with stacks in your own source.",
  takes: ["errors", "logs"],
  fields: [
    {
      name: "dsn",
      label: "DSN",
      type: "secret",
      required: true,
      secret: true,
      help: "In Sentry under Project settings, Client keys.",
      example: "https://key@o1.ingest.sentry.io/2",
    },
    {
      name: "environment",
      label: "Environment",
      type: "text",
      required: false,
      secret: false,
      help: "What its filter of environments shows.",
      default: "production",
    },
    {
      name: "grouping",
      label: "Grouping",
      type: "select",
      required: true,
      secret: false,
      help: "",
      default: "tailrace",
      options: [
        { value: "tailrace", label: "As in Tailrace" },
        { value: "sentry", label: "Sentry's own" },
      ],
      advanced: true,
    },
  ],
  documentation: `### Where the DSN is
Under **Settings, Projects, Client keys**. Any server that speaks Sentry's protocol takes it.

### What arrives
- Exceptions with their chain, in your own source
- Console lines as \`breadcrumbs\`, and as logs

See [its documentation](https://docs.sentry.io/).`,
  website: "https://sentry.io/",
  mark: { text: "Se", color: "#7b51f8" },
  idempotent: true,
};

export const WEBHOOK: CatalogEntry = {
  id: "webhook",
  name: "Signed webhook",
  role: "destination",
  category: "Alerts",
  summary: "New issues, regressions and rollouts as signed JSON.",
  takes: ["notices"],
  fields: [
    {
      name: "url",
      label: "URL",
      type: "url",
      required: true,
      secret: false,
      help: "Takes a POST.",
      example: "https://example.org/hook",
    },
    {
      name: "secret",
      label: "Signing secret",
      type: "secret",
      required: true,
      secret: true,
      help: "At least 24 characters.",
      generate: { prefix: "whsec_", bytes: 32 },
    },
  ],
  documentation: "Every request is signed. `webhook-signature` says how.",
  website: "https://www.standardwebhooks.com/",
  mark: { text: "{}", color: "#0f8577" },
  idempotent: true,
};

const OTLP: CatalogEntry = {
  ...WEBHOOK,
  id: "otlp",
  name: "OpenTelemetry",
  category: "Observability",
  summary: "Logs and traces over OTLP/HTTP, to a collector of your own.",
  takes: ["errors", "logs", "traces"],
  mark: { text: "OT", color: "#f5a800" },
};

export const TURSO: CatalogEntry = {
  id: "turso",
  name: "Turso",
  role: "resource",
  category: "Resources",
  summary: "A database token for your Workers, written as secrets.",
  takes: [],
  fields: [
    {
      name: "token",
      label: "Platform API token",
      type: "secret",
      required: true,
      secret: true,
      help: "turso auth api-tokens mint tailrace",
    },
    { name: "organization", label: "Organization", type: "text", required: true, secret: false, help: "Its slug." },
    {
      name: "database",
      label: "Database",
      type: "text",
      required: true,
      secret: false,
      help: "Which one your Workers use.",
      dynamic: true,
    },
  ],
  documentation: "A token of the database is made and written.",
  website: "https://turso.tech/",
  mark: { text: "Tu", color: "#0e8f6e" },
  idempotent: false,
};

export const CATALOG = [SENTRY, OTLP, WEBHOOK, TURSO];

export const rules = (part: Partial<DestinationRules> = {}): DestinationRules => ({ ...RULES, ...part });

export function health(now: number, part: Partial<DestinationHealth> = {}): DestinationHealth {
  return {
    condition: "ok",
    sentence: "Everything so far is delivered.",
    movedAt: now - 2000,
    delivered: 182_340,
    failed: 12,
    droppedByRule: { sampled: 40_210, ceiling: 0 },
    rejectedByReceiver: 0,
    deadLetters: 0,
    lost: 0,
    viaFailover: 0,
    queued: 0,
    oldestWaiting: null,
    lastDeliveredAt: now - 4000,
    lastError: null,
    nextTryAt: null,
    circuit: "closed",
    failedOverSince: null,
    carriedAt: null,
    backfill: null,
    minutes: Array.from({ length: 60 }, (_, i) => ({
      at: now - (59 - i) * MINUTE_MS,
      delivered: Math.round(60 + 40 * Math.sin(i / 6)),
      failed: i === 22 || i === 23 ? 14 : 0,
      p50: 42 + 8 * Math.sin(i / 3),
    })),
    latency: { p50: 44, p99: 210 },
    asOf: now,
    ...part,
  };
}

export function destination(now: number, part: Partial<DestinationRow> = {}): DestinationRow {
  return {
    id: "d-sentry",
    integration: "sentry",
    name: "Sentry, shop team",
    state: "enabled",
    standby: false,
    failoverTo: null,
    rules: rules({
      workers: ["shop-*"],
      sampling: [{ feed: "errors", status: "5xx", rate: 1 }],
      otherwise: 0.1,
      tags: { team: "shop" },
    }),
    values: { environment: "production", grouping: "tailrace" },
    secretsSet: ["dsn"],
    createdAt: now - 86_400_000,
    createdBy: "ana@example.org",
    updatedAt: now - 86_400_000,
    health: health(now),
    ...part,
  };
}

/** A destination that is down: its circuit is open, another carries what comes, and some was refused for good. */
export const failing = (now: number): DestinationRow =>
  destination(now, {
    id: "d-otlp",
    integration: "otlp",
    name: "Collector, Frankfurt",
    values: { url: "https://otel.example.org" },
    secretsSet: ["secret"],
    failoverTo: "d-standby",
    health: health(now, {
      condition: "failing",
      sentence: "It has not answered for 12 minutes; what comes meanwhile goes to Collector, Dublin.",
      failed: 941,
      deadLetters: 3,
      queued: 38_400,
      oldestWaiting: now - 12 * MINUTE_MS,
      lastDeliveredAt: now - 12 * MINUTE_MS,
      lastError: {
        at: now - 9000,
        kind: "unavailable",
        message: "The collector answers 503: upstream connect error.",
        status: 503,
      },
      nextTryAt: now + 21_000,
      circuit: "open",
      failedOverSince: now - 11 * MINUTE_MS,
      carriedAt: now,
      viaFailover: 8120,
      backfill: { from: now - 86_400_000, to: now, rows: 1_240_000, done: 512_000 },
      minutes: Array.from({ length: 60 }, (_, i) => ({
        at: now - (59 - i) * MINUTE_MS,
        delivered: i < 47 ? 90 + (i % 7) * 6 : 0,
        failed: i < 47 ? 0 : 8 - (i % 3),
        p50: i < 47 ? 60 + i : null,
      })),
    }),
  });

export const standby = (now: number): DestinationRow =>
  destination(now, {
    id: "d-standby",
    integration: "otlp",
    name: "Collector, Dublin",
    standby: true,
    values: { url: "https://otel2.example.org" },
    health: health(now, {
      condition: "standby",
      sentence: "Carries what Collector, Frankfurt cannot take.",
      delivered: 8120,
      failed: 0,
      droppedByRule: { sampled: 0, ceiling: 0 },
    }),
  });

export const attention = (now: number): DestinationRow =>
  destination(now, {
    id: "d-hook",
    integration: "webhook",
    name: "On-call webhook with quite a long name for a list",
    rules: rules({ feeds: ["notices"] }),
    values: {},
    secretsSet: ["secret", "url"],
    hosts: { url: "hooks.example.org" },
    health: health(now, {
      condition: "attention",
      sentence: "The receiver refuses the key: enter a new one.",
      delivered: 21,
      queued: 2,
      oldestWaiting: now - 3 * 3_600_000,
      lastError: { at: now - 60_000, kind: "unauthorized", message: "401: unknown key", status: 401 },
    }),
  });

export const letter = (now: number, part: Partial<DeadLetter> = {}): DeadLetter => ({
  id: 1,
  at: now - 240_000,
  script: "shop-storefront",
  feed: "logs",
  title: "cart loaded for user 7",
  failure: { kind: "refused", status: 400, message: "attribute user.birthday is not allowed" },
  tries: 1,
  ...part,
});

export const preview = (now: number, sent: number): PreviewAnswer => ({
  from: now - 3_600_000,
  to: now,
  feeds: [
    { feed: "errors", candidates: 210, sent: 210, sampled: 0, ceiling: 0, notChosen: 0 },
    { feed: "logs", candidates: 48_200, sent, sampled: 43_000 - sent, ceiling: 0, notChosen: 5200 },
  ],
  byWorker: [
    { script: "shop-storefront", sent: Math.round(sent * 0.8) },
    { script: "shop-cart", sent: Math.round(sent * 0.2) },
  ],
  examples: [
    {
      at: now - 60_000,
      script: "shop-storefront",
      feed: "errors",
      text: "TypeError: Cannot read properties of undefined",
    },
    { at: now - 61_000, script: "shop-cart", feed: "logs", text: "cart loaded for user 7" },
  ],
  exact: true,
});

export const TOML = 'tail_consumers = [{ service = "tailrace" }]';

export const connections = (now: number): ConnectionsAnswer => ({
  account: { connected: true, accountId: "0123456789abcdef0123456789abcdef" },
  toml: TOML,
  connections: [
    {
      script: "shop-storefront",
      connected: true,
      byTailrace: true,
      connectedAt: now - 3_600_000,
      lastSeen: now - 2000,
      verified: true,
      others: [],
      self: false,
    },
    {
      script: "shop-cart",
      connected: true,
      byTailrace: false,
      connectedAt: null,
      lastSeen: now - 40_000,
      verified: true,
      others: ["old-tail"],
      self: false,
    },
    {
      script: "mail",
      connected: false,
      byTailrace: false,
      connectedAt: null,
      lastSeen: null,
      verified: false,
      others: [],
      self: false,
    },
    {
      script: "tailrace",
      connected: false,
      byTailrace: false,
      connectedAt: null,
      lastSeen: null,
      verified: false,
      others: [],
      self: true,
    },
  ],
});

export const resource = (now: number, part: Partial<ResourceRow> = {}): ResourceRow => ({
  id: "r-turso",
  integration: "turso",
  name: "Turso, orders",
  values: { organization: "shop", database: "orders" },
  secretsSet: ["token"],
  workers: [
    {
      script: "shop-storefront",
      secrets: ["TURSO_DATABASE_URL", "TURSO_AUTH_TOKEN"],
      writtenAt: now - 60_000,
      error: null,
    },
    { script: "shop-cart", secrets: [], writtenAt: now - 60_000, error: "Cloudflare has no Worker of that name." },
  ],
  createdAt: now - 60_000,
  rotatedAt: null,
  usage: {
    install: "npm install @libsql/client",
    code: `import { createClient } from "@libsql/client/web";\n\nconst db = createClient({ url: env.TURSO_DATABASE_URL, authToken: env.TURSO_AUTH_TOKEN });`,
  },
  ...part,
});

export const status = (now: number, part: Partial<StatusAnswer> = {}): StatusAnswer => ({
  status: "ok",
  checks: [
    { name: "D1", ok: true, ms: 4 },
    { name: "R2", ok: true, ms: 9 },
    { name: "Ingesters", ok: true, message: "4 shards", ms: 12 },
  ],
  consumers: [
    {
      name: "shop-storefront/0",
      kind: "seal",
      condition: "moving",
      lagMs: 1200,
      movedAt: now - 3000,
      message: "1,204 rows in the log",
    },
    { name: "mail/0", kind: "seal", condition: "idle", lagMs: null, movedAt: now - 900_000, message: "" },
    {
      name: "Collector, Frankfurt",
      kind: "delivery",
      condition: "moving",
      lagMs: 720_000,
      movedAt: now - 700_000,
      message: "tries again in 21 s",
    },
    { name: "issues", kind: "issues", condition: "new", lagMs: null, movedAt: null, message: "nothing to do yet" },
  ],
  counters: [
    {
      name: "tailrace_ingest_events_total",
      help: "Events taken in",
      unit: "events",
      value: 4_812_330,
      perMinute: 3120,
    },
    {
      name: "tailrace_ingest_bytes_total",
      help: "Bytes taken in",
      unit: "bytes",
      value: 2_300_000_000,
      perMinute: 1_510_000,
    },
    { name: "tailrace_seal_segments_total", help: "Segments written", unit: "segments", value: 1204, perMinute: 1.2 },
    ...["delivered", "failed"].map((outcome, n) => ({
      name: "tailrace_delivery_items_total",
      help: "Items by what became of them",
      unit: "items",
      labels: { outcome },
      value: [182_340, 57][n] ?? 0,
      perMinute: [410, 0][n] ?? 0,
    })),
  ],
  version: "0.6.0",
  asOf: now,
  ...part,
});
