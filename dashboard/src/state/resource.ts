/**
 * Loads something for a component. While a new answer is on its way the last
 * one stays (no layout shift); a key that changes aborts the request before.
 * `tick` reloads without being a new key: live refresh never blanks a page.
 * `change` does so at once: an answer that was asked for before it is outdated.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../api/client.ts";

interface State<T> {
  /** The key that `data` and `error` answer. */
  key: string;
  data?: T;
  error?: ApiFailure;
  loading: boolean;
}

export interface Resource<T> extends State<T> {
  /** Whether `data` belongs to the present key. */
  fresh: boolean;
  reload: () => void;
}

export function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  return new ApiFailure(0, "dashboard", error instanceof Error ? error.message : String(error));
}

export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  tick = 0,
  change = 0,
): Resource<T> {
  const [state, setState] = useState<State<T>>({ key, loading: true });
  const [again, setAgain] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const running = useRef<{ key: string; change: number; controller: AbortController } | null>(null);

  useEffect(() => {
    // A refresh must not cut off a slow answer to the same question, or it would never come.
    if (running.current?.key === key && running.current.change === change) return;
    running.current?.controller.abort();
    const run = { key, change, controller: new AbortController() };
    running.current = run;
    const settle = (next: (before: State<T>) => State<T>) => {
      if (running.current !== run) return;
      running.current = null;
      setState(next);
    };
    setState((s) => ({ ...s, loading: true }));
    latest.current(run.controller.signal).then(
      (data) => settle(() => ({ key, data, loading: false })),
      (error: unknown) =>
        settle((s) => ({ key, data: s.key === key ? s.data : undefined, error: asFailure(error), loading: false })),
    );
  }, [key, tick, change, again]);

  useEffect(
    () => () => {
      running.current?.controller.abort();
      running.current = null;
    },
    [],
  );

  return { ...state, fresh: state.key === key, reload: () => setAgain((n) => n + 1) };
}
