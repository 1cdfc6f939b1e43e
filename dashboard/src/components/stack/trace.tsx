/** An error with its frames, and beneath it what it was caused by or made of. */
import type { StackTrace } from "../../../../workers/api/contract.ts";
import { frameToOpen, headline, segments } from "../../lib/stack-frames.ts";
import { Frame, LibraryFrames } from "./frame.tsx";
import "../../styles/stack.css";

function Frames({ trace }: { trace: StackTrace }) {
  const open = frameToOpen(trace.frames);
  if (trace.frames.length === 0) return <p class="small muted frames-none">It came without frames.</p>;
  return (
    <ol class="frames">
      {segments(trace.frames).map((s) =>
        s.kind === "library" ? (
          <LibraryFrames key={s.index} frames={s.frames} />
        ) : (
          <Frame key={s.index} frame={s.frame} open={s.index === open} />
        ),
      )}
      {trace.omitted > 0 && <li class="frame-omitted small faint">{trace.omitted} frames more were left out</li>}
    </ol>
  );
}

function Headline({ trace }: { trace: StackTrace }) {
  return (
    <pre class="trace-headline">
      {trace.type !== null && trace.type !== "" && <b>{trace.type}</b>}
      {trace.type && trace.message ? ": " : ""}
      {trace.message ?? ""}
    </pre>
  );
}

/** `title`: what the page says already need not be said again. */
export function Trace({ trace, title = "" }: { trace: StackTrace; title?: string }) {
  return (
    <div class="trace">
      {headline(trace) !== title && <Headline trace={trace} />}
      <Frames trace={trace} />
      {trace.errors.length > 0 && (
        <section class="trace-inner" aria-label="Errors in it">
          <h3 class="small muted">{trace.errors.length} errors in it</h3>
          {trace.errors.map((error, i) => (
            <details key={i} class="trace-error" open={i === 0}>
              <summary>
                <span class="faint small num">{i + 1}</span> <span class="cut">{headline(error)}</span>
              </summary>
              <Trace trace={error} title={headline(error)} />
            </details>
          ))}
        </section>
      )}
      {trace.cause !== null && (
        <section class="trace-cause" aria-label="Cause">
          <h3 class="small muted">Caused by</h3>
          <Trace trace={trace.cause} />
        </section>
      )}
    </div>
  );
}
