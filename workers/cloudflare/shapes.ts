/**
 * What Cloudflare's API answers, read with suspicion: the fields that decide must
 * be there and right, the rest may be missing. `client.ts` hands in results, takes
 * out the contract's types. Shapes: developers.cloudflare.com/api/resources/workers.
 */
import * as v from "valibot";
import type { Deployment, ListedWorker, TailConsumer, Version, VersionBinding, VersionDetail } from "./contract.ts";

/** Texts are for people: longer ones are cut, not refused. */
const MAX_TEXT = 1_000;
/** Cloudflare lists 10 deployments and 100 versions. */
const MAX_LISTED = 1_000;
const MAX_BINDINGS = 1_000;
/** An account has 500 Workers, more on request. */
const MAX_WORKERS = 10_000;
/** Percentages are decimal numbers: 33.3 and 66.7 need not add up exactly. */
const SUM_TOLERANCE = 0.1;
/** Of what a binding is bound to: ids and names. */
const MAX_TARGET = 2_000;

const id = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(255));
const text = v.pipe(
  v.nullish(v.string(), ""),
  v.transform((said) => said.slice(0, MAX_TEXT)),
);
const time = v.pipe(
  v.string(),
  v.transform((iso) => Date.parse(iso)),
  v.number(),
);

const annotations = v.nullish(
  v.object({ "workers/message": text, "workers/tag": text, "workers/triggered_by": text }),
  {},
);

const deployment = v.pipe(
  v.object({
    id,
    created_on: time,
    author_email: text,
    source: text,
    annotations,
    versions: v.pipe(
      v.array(v.object({ version_id: id, percentage: v.pipe(v.number(), v.minValue(0), v.maxValue(100)) })),
      v.minLength(1),
      v.maxLength(10),
      v.check((all) => Math.abs(all.reduce((sum, { percentage }) => sum + percentage, 0) - 100) <= SUM_TOLERANCE),
      v.check((all) => new Set(all.map(({ version_id }) => version_id)).size === all.length),
    ),
  }),
  v.transform(
    (raw): Deployment => ({
      id: raw.id,
      createdAt: raw.created_on,
      author: raw.author_email,
      message: raw.annotations["workers/message"] ?? "",
      triggeredBy: raw.annotations["workers/triggered_by"] || raw.source,
      versions: raw.versions.map(({ version_id, percentage }) => ({ version: version_id, percent: percentage })),
    }),
  ),
);

const versionFields = {
  id,
  number: v.nullish(v.number(), 0),
  metadata: v.nullish(v.object({ created_on: v.nullish(time), author_email: text }), {}),
  annotations,
};
type RawVersion = v.InferOutput<v.ObjectSchema<typeof versionFields, undefined>>;

const versionOf = (raw: RawVersion): Version => ({
  id: raw.id,
  number: raw.number,
  createdAt: raw.metadata.created_on ?? 0,
  author: raw.metadata.author_email ?? "",
  tag: raw.annotations["workers/tag"] ?? "",
  message: raw.annotations["workers/message"] ?? "",
  triggeredBy: raw.annotations["workers/triggered_by"] ?? "",
});
const version = v.pipe(v.object(versionFields), v.transform(versionOf));

const binding = v.pipe(v.looseObject({ name, type: name }), v.transform(bindingOf));
const versionDetail = v.pipe(
  v.object({
    ...versionFields,
    resources: v.object({
      bindings: v.nullish(v.pipe(v.array(binding), v.maxLength(MAX_BINDINGS)), []),
      script_runtime: v.nullish(
        v.object({ migration_tag: v.nullish(v.string(), null), compatibility_date: v.nullish(v.string(), null) }),
        {},
      ),
    }),
  }),
  v.transform(
    (raw): VersionDetail => ({
      ...versionOf(raw),
      migrationTag: raw.resources.script_runtime.migration_tag ?? null,
      compatibilityDate: raw.resources.script_runtime.compatibility_date ?? null,
      bindings: raw.resources.bindings,
    }),
  ),
);

/** Values of variables and secrets: nobody compares them, and some are not ours to read. */
const VALUES = ["text", "json", "part", "key_base64", "key_jwk"];

function bindingOf({ name, type, ...rest }: { name: string; type: string; [key: string]: unknown }): VersionBinding {
  const target = Object.entries(rest)
    .filter(([key]) => !VALUES.includes(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, type, target: JSON.stringify(Object.fromEntries(target)).slice(0, MAX_TARGET) };
}

const items = v.pipe(v.array(v.unknown()), v.maxLength(MAX_LISTED));

/**
 * The first is live, so it must be right; one in the history that cannot be read is
 * left out, or it would blind us for as long as it is listed.
 */
export const deploymentList = v.pipe(
  v.object({ deployments: items }),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }): Deployment[] => {
    const [first, ...history] = value.deployments;
    if (first === undefined) return [];
    const live = v.safeParse(deployment, first);
    if (live.success) return [live.output, ...readable(deployment, history)];
    addIssue({ message: v.getDotPath(live.issues[0]) ?? "deployment" });
    return NEVER;
  }),
);

export const deploymentMade = deployment;

export const versionList = v.pipe(
  v.object({ items }),
  v.transform(({ items: all }) => readable(version, all)),
);

export const oneVersion = versionDetail;

/** Of script-settings; null where there are none. */
export const tailConsumerList = v.pipe(
  v.object({ tail_consumers: v.nullish(v.array(v.object({ service: name })), []) }),
  v.transform((settings) => settings.tail_consumers.map(({ service }) => service)),
);

/** Whole entries, for who writes them back: one that cannot be read would be lost then, so nothing is built on it. */
const tailConsumer: v.GenericSchema<unknown, TailConsumer> = v.looseObject({ service: name });
export const tailSettings = v.pipe(
  v.object({ tail_consumers: v.nullish(v.pipe(v.array(tailConsumer), v.maxLength(MAX_LISTED)), []) }),
  v.transform((settings) => settings.tail_consumers),
);

/** A list in which a Worker has no `tail_consumers` does not say what it has. */
const listedWorker = v.pipe(
  v.object({ id: name, tail_consumers: v.nullish(v.array(tailConsumer), null) }),
  v.transform(({ id, tail_consumers }): ListedWorker => ({ name: id, tailConsumers: tail_consumers })),
);
export const workerList = v.pipe(
  v.array(v.unknown()),
  v.maxLength(MAX_WORKERS),
  v.transform((all) => readable(listedWorker, all)),
);

export const secretList = v.pipe(
  v.array(v.unknown()),
  v.maxLength(MAX_LISTED),
  v.transform((all) => readable(v.object({ name }), all).map((secret) => secret.name)),
);

function readable<T>(schema: v.GenericSchema<unknown, T>, all: readonly unknown[]): T[] {
  return all.flatMap((one) => {
    const read = v.safeParse(schema, one);
    return read.success ? [read.output] : [];
  });
}
