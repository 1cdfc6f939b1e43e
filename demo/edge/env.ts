/** What scripts/local/demo-workers.mjs binds to the edge. */
import type { Deployments } from "./deployments.ts";

export interface LocalVersion {
  id: string;
  tag: string;
  /** Share that the version has before anyone changes the deployment. */
  percent: number;
  /** Name of the service binding that leads to it. */
  binding: string;
}

export interface EdgeEnv {
  /** By script name; only scripts with several versions. */
  VERSIONS: Record<string, LocalVersion[]>;
  DEPLOYMENTS: DurableObjectNamespace<Deployments>;
  [version: string]: unknown;
}

export interface Share {
  version_id: string;
  percentage: number;
}
