/**
 * The module that stands before an uploaded version's main module: it replaces
 * what cannot be handed over as it is, and passes everything else on. Frames of
 * the version's own code keep their file, line and column.
 */
import type { Binding } from "../account/types.ts";

export const WRAPPER = "local-edge.js";
export const PROBE = "local-edge-probe.js";

/** Names the object that a request is for; URI-encoded, as header values are Latin-1. */
export const OBJECT_HEADER = "x-local-edge-object";

/** Ids are names here, not hashes of them. Calls carry the name, since a stub that came over RPC is good for one call only. */
const NAMESPACE = `
const id = (name) => ({ name, toString: () => name, equals: (other) => String(other) === name });
const object = (stub, name) => new Proxy({}, { get(_, key) {
  if (key === "id") return id(name);
  if (key === "name") return name;
  if (key === "then" || typeof key === "symbol") return undefined;
  if (key !== "fetch") return (...args) => stub.call(name, key, args);
  return (input, init) => {
    const request = new Request(input, init);
    request.headers.set("${OBJECT_HEADER}", encodeURIComponent(name));
    return stub.fetch(request);
  };
} });
const namespace = (stub) => ({
  idFromName: id,
  idFromString: id,
  newUniqueId: () => id("unique-" + crypto.randomUUID()),
  get: (id) => object(stub, String(id)),
  getByName: (name) => object(stub, name),
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
