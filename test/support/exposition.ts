/**
 * A strict reader of Prometheus' text format 0.0.4, with what `promtool check
 * metrics` complains of: no HELP, counters without `_total`, others with it, units
 * that are no base units, the same series twice, samples outside of their family.
 */
export interface ExpositionSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const NUMBER = /^[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|\.\d+|Inf)$|^NaN$/i;
const NOT_BASE = /_(milliseconds?|ms|minutes|hours|days|kilobytes|kb|mb|bits)(_|$)/;

export function parseExposition(text: string): { samples: ExpositionSample[]; problems: string[] } {
  const samples: ExpositionSample[] = [];
  const problems: string[] = [];
  const families = new Map<string, { help?: string; type?: string }>();
  const seen = new Set<string>();
  let current = "";
  if (text !== "" && !text.endsWith("\n")) problems.push("the last line has no end");
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, what, name = "", said = ""] = comment;
      const family = families.get(name) ?? {};
      const key = what === "HELP" ? "help" : "type";
      if (family[key] !== undefined) problems.push(`${name}: ${what} twice`);
      if (name !== current && families.has(name)) problems.push(`${name}: in two places`);
      families.set(name, { ...family, [key]: said });
      current = name;
      continue;
    }
    const match = SAMPLE.exec(line);
    if (match === null) {
      problems.push(`no sample: ${JSON.stringify(line)}`);
      continue;
    }
    const [, name = "", inside, number = ""] = match;
    const labels = labelsOf(inside ?? "");
    if (labels === undefined) problems.push(`labels cannot be read: ${JSON.stringify(line)}`);
    if (!NUMBER.test(number)) problems.push(`no number: ${number}`);
    if (name !== current) problems.push(`${name}: outside of its family`);
    const id = `${name}${JSON.stringify(Object.entries(labels ?? {}).sort())}`;
    if (seen.has(id)) problems.push(`${id}: twice`);
    seen.add(id);
    samples.push({ name, labels: labels ?? {}, value: Number(number.replace("Inf", "Infinity")) });
  }
  for (const [name, { help, type }] of families) {
    if (help === undefined) problems.push(`${name}: no HELP`);
    if (type !== "counter" && type !== "gauge") problems.push(`${name}: type ${type}`);
    if ((type === "counter") !== name.endsWith("_total")) problems.push(`${name}: _total is of counters`);
    if (NOT_BASE.test(name)) problems.push(`${name}: no base unit`);
  }
  return { samples, problems };
}

function labelsOf(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== ""; ) {
    const match = LABEL.exec(rest);
    if (match === null || Object.hasOwn(labels, match[1] as string)) return undefined;
    const unescaped = (match[2] as string).replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    labels[match[1] as string] = unescaped;
    rest = rest.slice(match[0].length);
  }
  return labels;
}
