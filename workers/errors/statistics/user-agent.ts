/**
 * A User-Agent says too much to be compared as it is: hardly two are alike. What
 * breaks is one browser, one of its versions, or one system, so these are made
 * attributes of their own. Families that matter and no more: what nobody knows
 * goes by its first product token. Names are OpenTelemetry's.
 */
export const USER_AGENT = "user_agent.original";
const NAME = "user_agent.name";
const VERSION = "user_agent.version";
const SYSTEM = "user_agent.os.name";

interface Family {
  name: string;
  /** Regular expression up to the major version. */
  token: string;
  /** What follows the version. */
  tail?: string;
  /** One that has this too is another family's. */
  not?: string;
}

const CHROMIUMS = "Edg|OPR/|SamsungBrowser/";
/** The first that fits counts. */
const FAMILIES: readonly Family[] = [
  { name: "Edge", token: "Edg(?:e|A|iOS)?/" },
  { name: "Opera", token: "OPR/" },
  { name: "Samsung Internet", token: "SamsungBrowser/" },
  { name: "Firefox", token: "(?:Firefox|FxiOS)/" },
  { name: "Chrome", token: "(?:Chrome|CriOS)/", not: CHROMIUMS },
  { name: "Safari", token: "Version/", tail: ".*Safari/", not: `Chrome/|${CHROMIUMS}` },
];
const SYSTEMS: readonly { name: string; token: string; not?: string }[] = [
  { name: "iOS", token: "iPhone|iPad|iPod" },
  { name: "Android", token: "Android" },
  { name: "Windows", token: "Windows NT" },
  { name: "ChromeOS", token: "CrOS" },
  { name: "macOS", token: "Macintosh" },
  { name: "Linux", token: "Linux", not: "Android" },
];

const compiled = FAMILIES.map((f) => ({ ...f, pattern: new RegExp(`${f.token}(\\d{1,5})${f.tail ?? ""}`) }));
const systems = SYSTEMS.map((s) => ({ ...s, pattern: new RegExp(s.token) }));
const BOT = /([A-Za-z][\w-]{0,30}(?:bot|crawler|spider)|bot|crawler|spider)\b/i;
const PRODUCT = /^([A-Za-z][\w.-]{0,40})\/(\d{1,5})/;
/** A browser's is some hundred characters long; `.*` walks over no more. */
const MAX_CHARS = 512;

/** Attributes that a User-Agent stands for. */
export function readUserAgent(text: string): [name: string, value: string][] {
  const agent = text.slice(0, MAX_CHARS);
  const found: [string, string][] = [];
  const add = (name: string, version?: string) => {
    found.push([NAME, name]);
    if (version !== undefined) found.push([VERSION, `${name} ${version}`]);
  };
  const bot = BOT.exec(agent);
  if (bot !== null) return [[NAME, bot[1] as string]];
  const family = compiled.find((f) => f.pattern.test(agent));
  const product = PRODUCT.exec(agent);
  if (family !== undefined) add(family.name, family.pattern.exec(agent)?.[1]);
  else if (product !== null && product[1] !== "Mozilla") add(product[1] as string, product[2]);
  const system = systems.find((s) => s.pattern.test(agent));
  if (system !== undefined) found.push([SYSTEM, system.name]);
  return found;
}

/** In the query language; undefined for attributes that are none of these. */
export function userAgentFilter(attribute: string, value: string): string | undefined {
  if (attribute === SYSTEM) {
    const system = SYSTEMS.find((s) => s.name === value);
    return system && matching(system.token, system.not);
  }
  if (attribute !== NAME && attribute !== VERSION) return undefined;
  const space = attribute === VERSION ? value.lastIndexOf(" ") : value.length;
  const name = value.slice(0, space);
  const version = value.slice(space + 1);
  const family = FAMILIES.find((f) => f.name === name);
  if (family === undefined) return matching(`${escaped(name)}${version === "" ? "" : `/${version}\\b`}`);
  return matching(`${family.token}${version === "" ? "" : `${version}\\b`}${family.tail ?? ""}`, family.not);
}

function matching(pattern: string, not?: string): string {
  const regex = (source: string) => `ua:/${source.replaceAll("/", "\\/")}/`;
  return not === undefined ? regex(pattern) : `${regex(pattern)} -${regex(not)}`;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
