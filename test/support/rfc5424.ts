/**
 * A strict reader of syslog messages, by the ABNF of RFC 5424, section 6, over
 * octets; and of the two framings of RFC 6587. Whatever departs from them throws.
 */
export interface SyslogMessage {
  facility: number;
  severity: number;
  /** ms */
  time: number;
  hostname: string;
  appName: string;
  procId: string;
  msgId: string;
  data: Record<string, [string, string][]>;
  message: string;
  bom: boolean;
}

/** PRI VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP */
const HEADER =
  /^<(0|[1-9]\d{0,2})>1 (\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /;
/** SD-NAME: no `=`, `]`, `"` or space. */
const SD_NAME = /^[!#-<>-\\^-~]{1,32}/;
const REGISTERED = new Set(["timeQuality", "origin", "meta"]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
const CONTROL = /[\x00-\x1f\x7f]/;
const BOM = "\u00ef\u00bb\u00bf";

export function parseSyslog(octets: Uint8Array): SyslogMessage {
  let rest = Buffer.from(octets).toString("latin1");
  const header = HEADER.exec(rest);
  if (header === null) fail("the header", rest);
  const [whole, pri = "", time = "", hostname = "", appName = "", procId = "", msgId = ""] = header;
  if (Number(pri) > 191) fail("PRI", pri);
  if (Number.isNaN(Date.parse(time))) fail("TIMESTAMP", time);
  rest = rest.slice(whole.length);
  const data: SyslogMessage["data"] = {};
  if (rest.startsWith("-")) rest = rest.slice(1);
  else if (!rest.startsWith("[")) fail("STRUCTURED-DATA", rest);
  while (rest.startsWith("[")) rest = element(rest, data);
  if (rest !== "" && !rest.startsWith(" ")) fail("what follows STRUCTURED-DATA", rest);
  const body = rest.slice(1);
  const bom = body.startsWith(BOM);
  // MSG-UTF8 begins with the mark; without it only ASCII is sure to mean the same to everybody.
  if (!bom && /[^\x20-\x7e]/.test(body)) fail("MSG", body);
  const message = utf8(bom ? body.slice(BOM.length) : body);
  return {
    ...{ facility: Number(pri) >> 3, severity: Number(pri) & 7, time: Date.parse(time) },
    ...{ hostname, appName, procId, msgId, data, message, bom },
  };
}

/** @returns what follows the element */
function element(text: string, data: SyslogMessage["data"]): string {
  const id = SD_NAME.exec(text.slice(1))?.[0] ?? fail("SD-ID", text);
  if (!REGISTERED.has(id) && !/^[^@]+@\d+(\.\d+)*$/.test(id)) fail("SD-ID", id);
  if (id in data) fail("an SD-ID that is there twice", id);
  const parameters: [string, string][] = [];
  data[id] = parameters;
  let rest = text.slice(1 + id.length);
  while (rest.startsWith(" ")) {
    const name = SD_NAME.exec(rest.slice(1))?.[0] ?? fail("PARAM-NAME", rest);
    rest = rest.slice(1 + name.length);
    // Within a value `"`, `\` and `]` must be escaped; other backslashes are none.
    const value = /^="((?:[^"\\\]]|\\["\\\]])*)"/.exec(rest) ?? fail("PARAM-VALUE", rest);
    if (CONTROL.test(value[1] ?? "")) fail("PARAM-VALUE without control characters", rest);
    parameters.push([name, utf8((value[1] ?? "").replace(/\\(["\\\]])/g, "$1"))]);
    rest = rest.slice(value[0].length);
  }
  if (!rest.startsWith("]")) fail("the end of an element", rest);
  return rest.slice(1);
}

export function splitLines(body: Uint8Array): Uint8Array[] {
  const text = Buffer.from(body).toString("latin1");
  if (!text.endsWith("\n")) fail("a line break at the end", text.slice(-20));
  return text
    .slice(0, -1)
    .split("\n")
    .map((line: string) => Buffer.from(line, "latin1"));
}

export function splitCounted(body: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    const length = /^[1-9]\d{0,8} /.exec(Buffer.from(body.subarray(at, at + 10)).toString("latin1"))?.[0];
    if (length === undefined) fail("MSG-LEN", String(at));
    const from = at + length.length;
    at = from + Number(length);
    if (at > body.length) fail("as many octets as were counted", length);
    messages.push(body.subarray(from, at));
  }
  return messages;
}

const utf8 = (latin1: string): string =>
  new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(latin1, "latin1"));

function fail(what: string, where: string): never {
  throw new Error(`RFC 5424: expected ${what} at ${JSON.stringify(where.slice(0, 80))}`);
}
