/**
 * The module that stands before an uploaded version's main module: it replaces
 * what cannot be handed over as it is, and passes everything else on. Frames of
 * the version's own code keep their file, line and column.
 */
import type { Binding } from "../account/types.ts";

export const WRAPPER = "local-edge.js";
export const PROBE = "local-edge-probe.js";

/** Ids are names here: nothing in them can be told from a real one but their length. */
const NAMESPACE = `
const id = (name) => ({ name, toString: () => name, equals: (other) => String(other) === name });
const namespace = (stub) => ({
  idFromName: id,
  idFromString: id,
  newUniqueId: () => id("unique-" + crypto.randomUUID()),
  get: (id) => stub.byName(String(id)),
  getByName: (name) => stub.byName(name),
  jurisdiction() { return this; },
});`;

export function wrapperOf(main: string, bindings: readonly Binding[], hasDefault: boolean): string {
  const namespaces = bindings.filter(({ type }) => type === "durable_object_namespace").map(({ name }) => name);
  const replaced =
    namespaces.length === 0
      ? ""
      : `import { env } from "cloudflare:workers";${NAMESPACE}
for (const name of ${JSON.stringify(namespaces)}) env[name] = namespace(env[name]);`;
  const from = JSON.stringify(`./${main}`);
  return `${replaced}
export * from ${from};
${hasDefault ? `export { default } from ${from};` : ""}`;
}

/** Starts the version's code and says what it exports; its answer is `Exports`. */
export const probeOf = (main: string): string => `
import * as worker from ${JSON.stringify(`./${main}`)};
const methods = (value) => {
  const names = new Set();
  for (let at = typeof value === "function" ? value.prototype : value; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at)) if (name !== "constructor" && typeof value?.[name] !== "string") names.add(name);
  return [...names];
};
export default { fetch: () => Response.json({
  hasDefault: "default" in worker,
  handlers: methods(worker.default),
  entrypoints: Object.keys(worker).filter((name) => name !== "default" && typeof worker[name] === "function"),
}) };`;

export interface Exports {
  hasDefault: boolean;
  handlers: string[];
  entrypoints: string[];
}
