/** Levels → SeverityNumber (OpenTelemetry logs data model). `console.log` is what people write for information. */
const NUMBERS = new Map([
  ["trace", 1],
  ["debug", 5],
  ["log", 9],
  ["info", 9],
  ["notice", 10],
  ["warn", 13],
  ["warning", 13],
  ["error", 17],
  ["critical", 18],
  ["alert", 19],
  ["fatal", 21],
  ["emergency", 24],
]);

/** 0: not specified. */
export const severityOf = (level: string | undefined): number => NUMBERS.get(level ?? "") ?? 0;
export const SEVERITY_ERROR = 17;
