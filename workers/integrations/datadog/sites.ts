/** Datadog's sites: each is a world of its own, with keys of its own. https://docs.datadoghq.com/getting_started/site/ */
import type { Values } from "../contract.ts";

export const SITES = [
  { value: "datadoghq.com", label: "US1 (app.datadoghq.com)" },
  { value: "us3.datadoghq.com", label: "US3" },
  { value: "us5.datadoghq.com", label: "US5" },
  { value: "datadoghq.eu", label: "EU1 (app.datadoghq.eu)" },
  { value: "ap1.datadoghq.com", label: "AP1 (Japan)" },
  { value: "ap2.datadoghq.com", label: "AP2 (Australia)" },
  { value: "ddog-gov.com", label: "US1-FED" },
];
const DEFAULT_SITE = "datadoghq.com";

const siteOf = (values: Values): string => SITES.find(({ value }) => value === values.site)?.value ?? DEFAULT_SITE;

/** Advanced fields name a proxy or a receiver of one's own, in place of Datadog's own hosts. */
export const logsUrl = (values: Values): string =>
  under(values.logsUrl || `https://http-intake.logs.${siteOf(values)}`, "/api/v2/logs");
export const eventsUrl = (values: Values): string =>
  under(values.eventsUrl || `https://api.${siteOf(values)}`, "/api/v1/events");

/** What somebody pasted may have the path already. */
function under(base: string, path: string): string {
  const url = new URL(base.trim());
  const before = url.pathname.replace(/\/+$/, "");
  url.pathname = before.endsWith(path) ? before : before + path;
  return url.href;
}
