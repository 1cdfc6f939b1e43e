/** Who sends. Sentry would take the address that the request comes from for the user's: it must not. */
import { version } from "../../../package.json";

export const SDK = { name: "tailrace", version, settings: { infer_ip: "never" } } as const;
export const CLIENT = `tailrace/${version}`;
