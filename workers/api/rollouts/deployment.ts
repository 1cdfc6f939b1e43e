/** What is live at Cloudflare, and what could be, with the names that people gave it. `routes/deployment.ts` answers it. */
import type { ApiResult, CloudflareClient, Deployment, Version } from "../../cloudflare/contract.ts";
import type { DeployedVersion, DeploymentAnswer } from "../contract.ts";

type Told = Omit<DeploymentAnswer, "rollout">;

export async function readDeployment(client: CloudflareClient, script: string): Promise<ApiResult<Told>> {
  const [deployments, versions] = await Promise.all([client.deployments(script), client.versions(script)]);
  if (!deployments.ok) return deployments;
  if (!versions.ok) return versions;
  const [live] = deployments.value;
  const value: Told = {
    live: live === undefined ? null : await describe(live, client, script, versions.value),
    versions: versions.value.map(({ createdAt, ...version }) => ({ ...named(version), createdAt })),
  };
  return { ok: true, value, attempts: deployments.attempts + versions.attempts };
}

async function describe(
  live: Deployment,
  client: CloudflareClient,
  script: string,
  known: readonly Version[],
): Promise<NonNullable<DeploymentAnswer["live"]>> {
  const { id, createdAt, message } = live;
  const versions = await Promise.all(
    live.versions.map(async ({ version, percent }) => ({ ...(await nameOf(version, client, script, known)), percent })),
  );
  // What Cloudflare does not tell any more is older than all that it does.
  versions.sort((a, b) => a.number - b.number);
  return { id, createdAt, message, versions: versions.map(({ number: _, ...version }): DeployedVersion => version) };
}

/** A version that has been live for long may be none of the newest hundred. */
async function nameOf(id: string, client: CloudflareClient, script: string, known: readonly Version[]) {
  const listed = known.find((version) => version.id === id);
  if (listed !== undefined) return named(listed);
  const asked = await client.version(script, id);
  return asked.ok ? named(asked.value) : { id, tag: "", message: "", number: 0 };
}

const named = ({ id, tag, message, number }: Pick<Version, "id" | "tag" | "message" | "number">) => ({
  id,
  tag,
  message,
  number,
});
