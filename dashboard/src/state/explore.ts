/**
 * What Explore loads for a query: the histogram of its filter, the pages of its
 * events, or the table that its pipes make. Each reloads on the live tick and
 * keeps what is shown until the next answer is there.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { QueryAnswer } from "../../../workers/api/contract.ts";
import { api } from "../api/client.ts";
import { bucketFor } from "../lib/buckets.ts";
import { splitQuery } from "../lib/query-text.ts";
import { resolveRange } from "../lib/range.ts";
import { rememberName } from "../lib/versions.ts";
import { EventPages } from "./event-pages.ts";
import { tick } from "./live.ts";
import { range } from "./location.ts";
import { useResource } from "./resource.ts";

/** How far the server is with reading for what is on screen; undefined when it has not said. */
export const progress = signal<number | undefined>(undefined);
const tell = (share: number) => {
  progress.value = share < 1 ? share : undefined;
};

/** Rows of a table with pipes. */
const TABLE_ROWS = 10_000;

interface Timed {
  answer: QueryAnswer;
  from: number;
  to: number;
  bucketMs: number;
}

/** The histogram counts what the filter finds, whatever the pipes make of it. */
export function useHistogram(q: string, kind: string, run: number) {
  const filter = kind === "events" ? q : splitQuery(q).filter;
  const { from, to } = range.value;
  return useResource<Timed | undefined>(
    `${kind === "mistake" ? "" : filter}\n${from}\n${to}\n${run}`,
    async (abort) => {
      if (kind === "mistake") return undefined;
      const at = resolveRange(range.value, Date.now());
      const bucket = bucketFor(at.to - at.from);
      const answer = await api.queryLines(
        `${filter} | stats count() by bin(${bucket.text}), level`,
        at,
        TABLE_ROWS,
        abort,
        kind === "events" ? tell : () => undefined,
      );
      return { answer, ...at, bucketMs: bucket.ms };
    },
    tick.value,
  );
}

export function useTable(q: string, kind: string, run: number) {
  const { from, to } = range.value;
  return useResource<Omit<Timed, "bucketMs"> | undefined>(
    `${kind === "table" ? q : ""}\n${from}\n${to}\n${run}`,
    async (abort) => {
      if (kind !== "table") return undefined;
      const at = resolveRange(range.value, Date.now());
      const [answer] = await Promise.all([api.queryLines(q, at, undefined, abort, tell), learnNames(q, at)]);
      return { answer, ...at };
    },
    tick.value,
  );
}

let learnt = "";

/** A table by version names them by tag and message, which the Overview's answer knows. */
async function learnNames(q: string, at: { from: number; to: number }): Promise<void> {
  const key = `${range.value.from} ${range.value.to}`;
  if (learnt === key || !/\bversion(_id)?\b/.test(splitQuery(q).pipes)) return;
  try {
    const { workers } = await api.overview(at);
    for (const v of workers.flatMap((w) => w.versions)) rememberName(v.id, v.tag, v.message);
    learnt = key;
  } catch {
    // The ids alone will do.
  }
}

/** New pages take the place of the old ones once their first page is there. */
export function useEvents(q: string, kind: string, run: number, paused: boolean) {
  const key = `${q}\n${range.value.from}\n${range.value.to}\n${run}`;
  const [shown, setShown] = useState<{ key: string; pages: EventPages }>();
  const next = useRef<EventPages | null>(null);
  const start = () => {
    next.current?.dispose();
    const pages = new EventPages(q, resolveRange(range.value, Date.now()));
    next.current = pages;
    void pages.more().then(() => {
      if (next.current !== pages) return;
      next.current = null;
      setShown((old) => {
        old?.pages.dispose();
        return { key, pages };
      });
    });
  };
  useEffect(() => {
    if (kind === "events") start();
  }, [key, kind]);
  useEffect(() => {
    if (kind === "events" && !paused && shown?.key === key && next.current === null) start();
  }, [tick.value]);
  useEffect(() => () => next.current?.dispose(), []);
  return { pages: kind === "events" ? shown?.pages : undefined, fresh: shown?.key === key };
}
