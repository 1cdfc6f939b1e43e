/**
 * The account's records in the shapes of Cloudflare's API.
 * https://developers.cloudflare.com/api/resources/workers/subresources/scripts/
 */
import type { Binding, DeploymentRecord, ScriptRecord, VersionRecord } from "../account/types.ts";

const iso = (ms: number) => new Date(ms).toISOString();

function annotations(record: { triggeredBy: string; message: string; tag?: string }): Record<string, string> {
  const all = {
    "workers/triggered_by": record.triggeredBy,
    "workers/message": record.message,
    "workers/tag": record.tag ?? "",
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** As a list has it. */
export function versionItem(version: VersionRecord): object {
  const created = iso(version.createdAt);
  return {
    id: version.id,
    number: version.number,
    metadata: {
      created_on: created,
      modified_on: created,
      source: version.source,
      author_id: "local",
      author_email: version.author,
      hasPreview: false,
      has_preview: false,
    },
    annotations: annotations(version),
  };
}

export function versionDetail(version: VersionRecord): object {
  return {
    ...versionItem(version),
    resources: {
      bindings: version.bindings.map(withoutSecret),
      script: {
        etag: version.etag,
        handlers: version.handlers,
        named_handlers: version.entrypoints.map((name) => ({ name, handlers: [] })),
        last_deployed_from: version.source,
      },
      script_runtime: {
        compatibility_date: version.compatibilityDate,
        compatibility_flags: version.compatibilityFlags,
        usage_model: "standard",
        ...(version.migrationTag === null ? {} : { migration_tag: version.migrationTag }),
      },
    },
    startup_time_ms: version.startupMs,
  };
}

/** A secret's value goes in and never comes out. */
export function withoutSecret(binding: Binding): Binding {
  const { name, type } = binding;
  return type === "secret_text" ? { name, type } : binding;
}

export function deploymentOf(deployment: DeploymentRecord): object {
  const { triggeredBy, message } = deployment;
  return {
    id: deployment.id,
    source: deployment.source,
    strategy: "percentage",
    author_email: deployment.author,
    created_on: iso(deployment.createdAt),
    annotations: annotations({ triggeredBy, message }),
    versions: deployment.versions,
  };
}

export function serviceOf(script: ScriptRecord, latest: VersionRecord | undefined): object {
  const created = iso(script.createdAt);
  return {
    id: script.name,
    created_on: created,
    modified_on: created,
    default_environment: {
      environment: "production",
      created_on: created,
      modified_on: created,
      script: {
        id: script.name,
        tag: script.tag,
        tags: script.tags,
        etag: latest?.etag ?? "",
        handlers: latest?.handlers ?? [],
        created_on: created,
        modified_on: iso(latest?.createdAt ?? script.createdAt),
        last_deployed_from: latest?.source ?? "api",
        usage_model: "standard",
        ...(script.migrationTag === null ? {} : { migration_tag: script.migrationTag }),
      },
    },
  };
}

/** As GET …/scripts lists it. */
export function listedOf({ name, tag, tags, createdAt, logpush, tailConsumers }: ScriptRecord): object {
  return { id: name, tag, tags, created_on: iso(createdAt), logpush, tail_consumers: tailConsumers };
}

/** GET …/settings: of the newest version, and of the script. */
export function settingsOf(script: ScriptRecord, latest: VersionRecord | undefined): object {
  return {
    bindings: (latest?.bindings ?? []).map(withoutSecret),
    compatibility_date: latest?.compatibilityDate,
    compatibility_flags: latest?.compatibilityFlags ?? [],
    usage_model: "standard",
    ...(script.migrationTag === null ? {} : { migration_tag: script.migrationTag }),
    ...scriptSettingsOf(script),
  };
}

/** GET …/script-settings: what is not of a version. */
export function scriptSettingsOf(script: ScriptRecord): object {
  const { logpush, observability, tags, tailConsumers } = script;
  return { logpush, observability, tags, tail_consumers: tailConsumers };
}
