/** Sentences that several parts of the guard say. */
import type { VersionName } from "../../api/contract.ts";
import type { ApiFailure, Deployment, DeploymentVersion } from "../../cloudflare/contract.ts";

/** Characters of a version's id that tell it apart. */
export const SHORT_ID = 8;

export const NOT_CONNECTED = "No Cloudflare account is connected: an admin connects one under Settings.";
export const GUARD = "guard";
export const SOMEBODY = "somebody else";

export function versionText({ id, tag }: Pick<VersionName, "id" | "tag">): string {
  const short = id.slice(0, SHORT_ID);
  return tag === "" ? short : `${tag} (${short})`;
}

export const percentText = (percent: number): string => `${Math.round(percent * 100) / 100} %`;

export const splitText = (versions: readonly DeploymentVersion[]): string =>
  versions.map(({ version, percent }) => `${version.slice(0, SHORT_ID)} at ${percentText(percent)}`).join(", ");

/** Who deployed, as far as Cloudflare says. */
export function deployedText({ author, message, versions }: Deployment): string {
  const by = author === "" ? "Somebody else" : author;
  return `${by} deployed ${splitText(versions)}${message === "" ? "" : ` ("${message}")`}`;
}

export function failureText(failure: ApiFailure): string {
  const code = failure.code === null ? "" : ` (code ${failure.code})`;
  switch (failure.kind) {
    case "unauthorized":
      return `Cloudflare does not accept the token${code}: ${failure.message}`;
    case "rate_limited":
      return `Cloudflare asks to wait${code}: ${failure.message}`;
    case "timeout":
      return `Cloudflare did not answer in time: ${failure.message}`;
    case "unavailable":
      return `Cloudflare could not be asked${code}: ${failure.message}`;
    case "not_found":
      return `Cloudflare does not know it${code}: ${failure.message}`;
    case "refused":
      return `Cloudflare refused${code}: ${failure.message}`;
  }
}
