/** Rules of destinations, as tests of all kinds begin with: errors and logs of everything. */
import type { DestinationRules } from "../../workers/api/contract/integrations.ts";

export const RULES: DestinationRules = {
  workers: [],
  exceptWorkers: [],
  versions: [],
  feeds: ["errors", "logs"],
  minLevel: "debug",
  notices: [],
  sampling: [],
  otherwise: 1,
  perMinute: null,
  tags: {},
};
