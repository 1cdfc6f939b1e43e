/** Test: a real round trip with what is filled in, and a clear answer with how long it took. */
import { useRef, useState } from "preact/hooks";
import type { TestAnswer, TestDestination } from "../../../../workers/api/contract.ts";
import { integrationsApi } from "../../api/integrations.ts";
import { duration } from "../../lib/format.ts";
import { asFailure } from "../../state/resource.ts";
import { Icon } from "../icons.tsx";

export interface Tested {
  /** Of the values that it was done with. */
  key: string;
  answer: TestAnswer;
}

export interface Testing {
  busy: boolean;
  tested: Tested | undefined;
  run: (body: TestDestination) => Promise<TestAnswer | undefined>;
}

export const keyOf = (values: Record<string, string>): string => JSON.stringify(values);

export function useTest(): Testing {
  const [busy, setBusy] = useState(false);
  const [tested, setTested] = useState<Tested>();
  const running = useRef<AbortController | undefined>(undefined);
  const run = async (body: TestDestination) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setBusy(true);
    const begun = performance.now();
    let answer: TestAnswer;
    try {
      answer = await integrationsApi.test(body, controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      const { message, details } = asFailure(error);
      const { problems } = (details ?? {}) as Pick<TestAnswer, "problems">;
      const said = problems === undefined ? { message } : { message: `Nothing was sent: ${message}`, problems };
      answer = { ok: false, ...said, ms: performance.now() - begun };
    }
    if (running.current !== controller) return undefined;
    setTested({ key: keyOf(body.values), answer });
    setBusy(false);
    return answer;
  };
  return { busy, tested, run };
}

/** Whole milliseconds: what is behind the point is noise. */
const took = (ms: number): string => (ms < 999.5 ? `${Math.round(ms)} ms` : duration(ms));

interface Props {
  name: string;
  testing: Testing;
  /** Of the values as they are now. */
  now: string;
  onTest: () => void;
}

export function TestPanel({ name, testing, now, onTest }: Props) {
  const { busy, tested } = testing;
  const isOld = tested !== undefined && tested.key !== now;
  const sentNothing = tested?.answer.problems !== undefined && Object.keys(tested.answer.problems).length > 0;
  return (
    <div class="test-panel">
      <button type="button" class="btn" disabled={busy} onClick={onTest}>
        {busy ? "Testing…" : tested === undefined ? "Test" : "Test again"}
      </button>
      <div role="status" class="test-answer">
        {busy ? (
          <span class="muted">Asking {name}…</span>
        ) : tested === undefined ? (
          <span class="faint">A real round trip with what is filled in. Nothing is stored.</span>
        ) : isOld ? (
          <span class="warn">Changed since it was tested.</span>
        ) : (
          <span class={`test-said ${tested.answer.ok ? "good" : "bad"}`}>
            <Icon name={tested.answer.ok ? "check" : "alert"} />
            <span>
              {tested.answer.message}
              {!sentNothing && <span class="muted nowrap"> Took {took(tested.answer.ms)}.</span>}
            </span>
          </span>
        )}
      </div>
    </div>
  );
}
