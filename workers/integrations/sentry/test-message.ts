/**
 * The round trip behind the button "Test": a message that people recognise, sent
 * twice under one id. Sentry's relays say yes to a key that they have not heard of
 * yet and look it up afterwards; the second time they know, and the id makes one
 * message of both.
 */
import type { Io, TestResult, Values } from "../contract.ts";
import { post } from "./deliver.ts";
import { SDK } from "./sdk.ts";
import { readSettings, type Settings } from "./settings.ts";
import { toJson } from "./text.ts";

/** Time for a relay to look up a project: mostly tens of ms. */
const PAUSE_MS = 1_500;
const WORDS = "Tailrace can send to this project";

export async function sendTestMessage(values: Values, io: Io): Promise<TestResult> {
  const read = readSettings(values);
  if (!read.ok) {
    const message = Object.values(read.problems).join(" ");
    return { ok: false, failure: { kind: "blocked", message, status: 0 } };
  }
  const { settings } = read;
  const { host, project } = settings.dsn;
  const envelope = messageEnvelope(settings, io);
  let otherId: string | undefined;
  for (const isSecond of [false, true]) {
    if (isSecond) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const verdict = await post(envelope, settings, new Map(), io);
    if (verdict.kind !== "taken") return { ok: false, failure: verdict.failure };
    otherId = verdict.otherId;
  }
  const taken = `${host} took the message “${WORDS}” for project ${project}, environment ${settings.environment}: it is among the project's issues in a moment.`;
  const doubt = `It calls it ${otherId}, which is not the id that it was sent under: it may keep what comes twice twice.`;
  return { ok: true, message: otherId === undefined ? taken : `${taken} ${doubt}` };
}

function messageEnvelope(settings: Settings, io: Io) {
  const eventId = crypto.randomUUID().replaceAll("-", "");
  const now = io.now();
  const event = {
    event_id: eventId,
    timestamp: now / 1_000,
    platform: "other",
    level: "info",
    logger: "tailrace",
    environment: settings.environment,
    logentry: { formatted: `${WORDS}.` },
    // All tests are one issue.
    fingerprint: ["tailrace", "test"],
    tags: { "tailrace.test": "true" },
    ...(io.baseUrl === "" ? {} : { contexts: { tailrace: { type: "tailrace", url: `${io.baseUrl}/integrations` } } }),
    sdk: SDK,
  };
  const payload = toJson(event);
  const header = toJson({
    event_id: eventId,
    sent_at: new Date(now).toISOString(),
    sdk: { name: SDK.name, version: SDK.version },
  });
  const item = `{"type":"event","content_type":"application/json","length":${Buffer.byteLength(payload)}}`;
  const bytes = new Uint8Array(new TextEncoder().encode(`${header}\n${item}\n${payload}\n`));
  return { category: "error" as const, bytes, eventId, level: 0 };
}
