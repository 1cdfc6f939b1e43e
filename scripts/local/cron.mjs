/**
 * Fires the crons of local Workers: Miniflare does not. Knows five numeric
 * fields with `*`, lists, ranges and steps, in UTC as Cloudflare does; a
 * field that it does not know is refused at start, not at three in the night.
 */
import { Complaint } from "../lib/complaint.mjs";

const FIELDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
];
const MINUTE_MS = 60_000;

/** @returns {(time: Date) => boolean} */
export function parseCron(expression) {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== FIELDS.length) throw new Complaint(`cron "${expression}" must have five fields`);
  const sets = texts.map((text, i) => parseField(text, ...FIELDS[i], expression));
  const [minute, hour, day, month, weekday] = sets;
  const anyDay = texts[2] === "*";
  const anyWeekday = texts[4] === "*";
  return (time) => {
    const inDay = day.has(time.getUTCDate());
    const inWeek = weekday.has(time.getUTCDay());
    // POSIX: when both day fields are restricted, either one is enough.
    const inDate = anyDay || anyWeekday ? inDay && inWeek : inDay || inWeek;
    return (
      minute.has(time.getUTCMinutes()) && hour.has(time.getUTCHours()) && month.has(time.getUTCMonth() + 1) && inDate
    );
  };
}

function parseField(text, min, max, expression) {
  const values = new Set();
  for (const part of text.split(",")) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    const from = match?.[1] === undefined ? min : Number(match[1]);
    const to = match?.[2] !== undefined ? Number(match[2]) : match?.[1] === undefined || match[3] ? max : from;
    const step = Number(match?.[3] ?? 1);
    if (!match || from < min || to > max || from > to || step < 1) {
      throw new Complaint(`cron "${expression}": "${part}" is not understood here`);
    }
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

/**
 * @param {{ cron: string, fire: (cron: string, at: Date) => Promise<void> }[]} jobs
 * @returns {() => void} stops it
 */
export function startCrons(jobs, report) {
  const parsed = jobs.map((job) => ({ ...job, matches: parseCron(job.cron) }));
  let timer;
  const schedule = () => {
    timer = setTimeout(tick, MINUTE_MS - (Date.now() % MINUTE_MS));
    timer.unref();
  };
  const tick = () => {
    const minute = new Date(Math.round(Date.now() / MINUTE_MS) * MINUTE_MS);
    for (const job of parsed) {
      if (job.matches(minute))
        job.fire(job.cron, minute).catch((error) => report(`cron ${job.cron}: ${error.message}`));
    }
    schedule();
  };
  schedule();
  return () => clearTimeout(timer);
}
