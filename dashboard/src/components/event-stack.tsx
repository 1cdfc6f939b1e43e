/**
 * The stack of an event: as it arrived, and on demand in the team's own source.
 * The live stream brings it mapped already; that then stands first.
 */

import { useState } from "preact/hooks";
import { lazy } from "preact-iso";
import type { EventJson, StackAnswer } from "../../../workers/api/contract.ts";
import { issuesApi } from "../api/issues.ts";
import { asFailure } from "../state/resource.ts";
import { toast } from "../state/toasts.ts";
import { Snippet } from "./states.tsx";

/** With the lexer, a chunk of its own. */
const Trace = lazy(() => import("./stack/trace.tsx").then((m) => m.Trace));

/** Frames without the indent that the runtime gives them. */
const trimStack = (stack: string): string => stack.replace(/^[ \t]+/gm, "");

type Form = "arrived" | "mapped" | "source";

export function EventStack({ event, class: name }: { event: EventJson; class: string }) {
  const [answer, setAnswer] = useState<StackAnswer>();
  const [busy, setBusy] = useState(false);
  const stack = typeof event.stack === "string" ? event.stack : "";
  const mapped = typeof event.mapped_stack === "string" ? event.mapped_stack : "";
  const [form, setForm] = useState<Form>(mapped === "" ? "arrived" : "mapped");
  const version = typeof event.version_id === "string" ? event.version_id : "";
  if (stack === "") return null;
  const toSource = async () => {
    if (answer !== undefined) return setForm("source");
    setBusy(true);
    try {
      setAnswer(await issuesApi.symbolicate(event.script, version, stack));
      setForm("source");
    } catch (error) {
      toast({ text: asFailure(error).message, tone: "bad" });
    }
    setBusy(false);
  };
  return (
    <div class={name}>
      <div class="stack-forms">
        {form !== "source" && (
          <button
            type="button"
            class="link small"
            disabled={busy}
            onClick={(e) => {
              e.stopPropagation();
              void toSource();
            }}
          >
            In the source
          </button>
        )}
        {form !== "arrived" && (
          <button
            type="button"
            class="link small"
            onClick={(e) => {
              e.stopPropagation();
              setForm("arrived");
            }}
          >
            As it arrived
          </button>
        )}
      </div>
      {form === "source" && answer !== undefined ? (
        <>
          {answer.hint !== "" && <p class="small warn">{answer.hint}</p>}
          {answer.command !== "" && <Snippet code={answer.command} />}
          <Trace trace={answer.trace} />
        </>
      ) : (
        <pre class="muted">{trimStack(form === "mapped" ? mapped : stack)}</pre>
      )}
    </div>
  );
}
