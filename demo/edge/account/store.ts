/**
 * The account's tables: records as JSON beside their keys, and the code of
 * versions in pieces that fit into a row. Knows no rules; registry.ts hands in.
 */
import type { DeploymentRecord, Module, ModuleType, ScriptRecord, VersionRecord } from "./types.ts";

/** A row holds 2 MB. */
const MAX_PIECE_BYTES = 1_500_000;
/** Of a Worker, as many as can ever be asked for; older ones go. */
const MAX_DEPLOYMENTS = 1_000;
/** More than can be deployed, so that "too old" can be seen. */
const MAX_VERSIONS = 200;

const TABLES = `
  CREATE TABLE IF NOT EXISTS scripts (name TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS versions (id TEXT PRIMARY KEY, script TEXT NOT NULL, number INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS versions_by_script ON versions (script, number);
  CREATE TABLE IF NOT EXISTS modules (version TEXT NOT NULL, name TEXT NOT NULL, piece INTEGER NOT NULL, type TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (version, name, piece));
  CREATE TABLE IF NOT EXISTS deployments (seq INTEGER PRIMARY KEY AUTOINCREMENT, script TEXT NOT NULL, record TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS deployments_by_script ON deployments (script, seq);
  CREATE TABLE IF NOT EXISTS namespaces (id TEXT PRIMARY KEY, title TEXT NOT NULL UNIQUE);
`;

export class Store {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  scripts(): ScriptRecord[] {
    return this.#records("SELECT record FROM scripts ORDER BY name");
  }

  script(name: string): ScriptRecord | undefined {
    return this.#records<ScriptRecord>("SELECT record FROM scripts WHERE name = ?", name)[0];
  }

  putScript(script: ScriptRecord): void {
    this.#sql.exec("INSERT OR REPLACE INTO scripts VALUES (?, ?)", script.name, JSON.stringify(script));
  }

  removeScript(name: string): void {
    this.#sql.exec("DELETE FROM modules WHERE version IN (SELECT id FROM versions WHERE script = ?)", name);
    for (const table of ["versions", "deployments"]) this.#sql.exec(`DELETE FROM ${table} WHERE script = ?`, name);
    this.#sql.exec("DELETE FROM scripts WHERE name = ?", name);
  }

  versions(script: string): VersionRecord[] {
    return this.#records("SELECT record FROM versions WHERE script = ? ORDER BY number DESC", script);
  }

  version(script: string, id: string): VersionRecord | undefined {
    return this.#records<VersionRecord>("SELECT record FROM versions WHERE id = ? AND script = ?", id, script)[0];
  }

  putVersion(version: VersionRecord): void {
    const { id, script, number } = version;
    this.#sql.exec("INSERT INTO versions VALUES (?, ?, ?, ?)", id, script, number, JSON.stringify(version));
    this.#prune(script, number - MAX_VERSIONS);
  }

  /** What is live stays, however old. */
  #prune(script: string, upTo: number): void {
    const live = this.deployments(script, 1)[0]?.versions.map((share) => share.version_id) ?? [];
    const query = "SELECT id FROM versions WHERE script = ? AND number <= ?";
    for (const { id } of this.#sql.exec<{ id: string }>(query, script, upTo).toArray()) {
      if (live.includes(id)) continue;
      this.#sql.exec("DELETE FROM modules WHERE version = ?", id);
      this.#sql.exec("DELETE FROM versions WHERE id = ?", id);
    }
  }

  hasModules(version: string): boolean {
    return this.#sql.exec("SELECT 1 FROM modules WHERE version = ? LIMIT 1", version).toArray().length > 0;
  }

  modules(version: string): Module[] {
    const rows = this.#sql
      .exec<{ name: string; type: ModuleType; content: ArrayBuffer }>(
        "SELECT name, type, content FROM modules WHERE version = ? ORDER BY name, piece",
        version,
      )
      .toArray();
    return [...Map.groupBy(rows, ({ name }) => name)].map(([name, pieces]) => ({
      name,
      type: pieces[0]?.type ?? "data",
      content: join(pieces.map(({ content }) => new Uint8Array(content))),
    }));
  }

  putModules(version: string, modules: readonly Module[]): void {
    for (const { name, type, content } of modules) {
      for (let piece = 0; piece === 0 || piece * MAX_PIECE_BYTES < content.byteLength; piece++) {
        const bytes = content.slice(piece * MAX_PIECE_BYTES, (piece + 1) * MAX_PIECE_BYTES);
        this.#sql.exec("INSERT INTO modules VALUES (?, ?, ?, ?, ?)", version, name, piece, type, bytes);
      }
    }
  }

  deployments(script: string, limit: number): DeploymentRecord[] {
    return this.#records("SELECT record FROM deployments WHERE script = ? ORDER BY seq DESC LIMIT ?", script, limit);
  }

  putDeployment(deployment: DeploymentRecord): void {
    const { script } = deployment;
    this.#sql.exec("INSERT INTO deployments (script, record) VALUES (?, ?)", script, JSON.stringify(deployment));
    const kept = "SELECT seq FROM deployments WHERE script = ? ORDER BY seq DESC LIMIT ?";
    this.#sql.exec(
      `DELETE FROM deployments WHERE script = ? AND seq NOT IN (${kept})`,
      script,
      script,
      MAX_DEPLOYMENTS,
    );
  }

  namespaces(): { id: string; title: string }[] {
    return this.#sql.exec<{ id: string; title: string }>("SELECT id, title FROM namespaces").toArray();
  }

  addNamespace(id: string, title: string): void {
    this.#sql.exec("INSERT INTO namespaces VALUES (?, ?)", id, title);
  }

  #records<T>(query: string, ...bindings: (string | number)[]): T[] {
    return this.#sql
      .exec<{ record: string }>(query, ...bindings)
      .toArray()
      .map(({ record }) => JSON.parse(record) as T);
  }
}

function join(pieces: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
}
