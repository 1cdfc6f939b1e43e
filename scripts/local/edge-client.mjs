/** What the launcher asks of the local edge's API: deploy, and upload a version, as any client would. */
import { readFileSync } from "node:fs";

/** Both ends are on this machine. */
const TIMEOUT_MS = 15_000;
/** It stands for a team's wrangler: who deploys later would be warned that something else was there before. */
const USER_AGENT = "wrangler (npm start)";

/**
 * @typedef {{ version_id: string, percentage: number }} Share
 *
 * @param {{ apiUrl: string, accountId: string, token: string }} edge
 */
export function edgeClient({ apiUrl, accountId, token }) {
  const ask = async (path, init = {}) => {
    const response = await fetch(`${apiUrl}/accounts/${accountId}/workers/scripts/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, "user-agent": USER_AGENT, ...init.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { success, errors, result } = await response.json();
    if (!success) throw new Error(`local edge: ${errors.map(({ message }) => message).join("; ")}`);
    return result;
  };
  return {
    /** Newest first. @returns {Promise<{ created_on: string, versions: Share[] }[]>} */
    deployments: async (script) => (await ask(`${script}/deployments`)).deployments,
    /** @param {Share[]} versions */
    deploy: (script, versions, message) =>
      ask(`${script}/deployments`, {
        method: "POST",
        body: JSON.stringify({ strategy: "percentage", versions, annotations: { "workers/message": message } }),
      }),
    /** With the bindings of the newest version. @returns {Promise<string>} the version's id */
    async upload(script, { file, tag, message }) {
      const { bindings, compatibility_date, compatibility_flags, tail_consumers } = await ask(`${script}/settings`);
      const form = new FormData();
      const metadata = {
        ...{ main_module: "index.js", compatibility_date, compatibility_flags, tail_consumers },
        bindings: bindings.map(({ name }) => ({ name, type: "inherit" })),
        annotations: { "workers/tag": tag, "workers/message": message },
      };
      form.set("metadata", JSON.stringify(metadata));
      form.set("index.js", new File([readFileSync(file)], "index.js", { type: "application/javascript+module" }));
      return (await ask(`${script}/versions`, { method: "POST", body: form })).id;
    },
  };
}
