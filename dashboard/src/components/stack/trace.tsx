/** An error with its frames, and beneath it what it was caused by or made of. */
import type { StackFrame, StackTrace } from "../../../../workers/api/contract.ts";
import { frameToOpen, headline, segments } from "../../lib/stack-frames.ts";
import { Frame, LibraryFrames } from "./frame.tsx";
import "../../styles/stack.css";

interface Props {
  trace: StackTrace;
  /** What the page says already need not be said again. */
  title?: string;
  /** The frame that counts: open wherever it is. */
  counts?: StackFrame;
  /** A cause, or a part: its frames are closed but for the one that counts. */
  inner?: boolean;
}

function Frames({ trace, counts, inner }: Props) {
  const open = inner ? -1 : frameToOpen(trace.frames);
  if (trace.frames.length === 0) {
    // What it is made of, or came from, says where.
    if (trace.errors.length > 0 || trace.cause !== null) return null;
    return <p class="small muted frames-none">It came without frames.</p>;
  }
  return (
    <ol class="frames">
      {segments(trace.frames).map((s) =>
        s.kind === "library" ? (
          <LibraryFrames key={s.index} frames={s.frames} />
        ) : (
          <Frame key={s.index} frame={s.frame} open={s.index === open || s.frame === counts} />
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

export function Trace({ trace, title = "", counts, inner = false }: Props) {
  return (
    <div class="trace">
      {headline(trace) !== title && <Headline trace={trace} />}
      <Frames trace={trace} counts={counts} inner={inner} />
      {trace.errors.length > 0 && (
        <section class="trace-inner" aria-label="Errors in it">
          <h3 class="small muted">{trace.errors.length} errors in it</h3>
          {trace.errors.map((error, i) => (
            <details key={i} class="trace-error" open={i === 0}>
              <summary>
                <span class="faint small num">{i + 1}</span> <span class="cut">{headline(error)}</span>
              </summary>
              <Trace trace={error} title={headline(error)} counts={counts} inner />
            </details>
          ))}
        </section>
      )}
      {trace.cause !== null && (
        <section class="trace-cause" aria-label="Cause">
          <h3 class="small muted">Caused by</h3>
          <Trace trace={trace.cause} counts={counts} inner />
        </section>
      )}
    </div>
  );
}
