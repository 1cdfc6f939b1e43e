/** One frame: function and place; its source beneath when it is open. */
import { useState } from "preact/hooks";
import type { StackFrame } from "../../../../workers/api/contract.ts";
import { libraryNames, placeOf } from "../../lib/stack-frames.ts";
import { Icon } from "../icons.tsx";
import { Code } from "./code.tsx";

/** The directory is less than the file, and the file is what one looks for. */
function Place({ frame }: { frame: StackFrame }) {
  if (frame.file === null) return <span class="frame-place faint">native</span>;
  const cut = frame.file.lastIndexOf("/") + 1;
  const at = [frame.line, frame.column].filter((n) => n !== null).join(":");
  return (
    <span class="frame-place mono" title={frame.mapped ? `In the bundle: ${placeOf(frame.raw)}` : undefined}>
      <span class="faint">{frame.file.slice(0, cut)}</span>
      <span>{frame.file.slice(cut)}</span>
      {at !== "" && <span class="muted">:{at}</span>}
    </span>
  );
}

function Name({ frame }: { frame: StackFrame }) {
  return (
    <span class="frame-name mono">
      {frame.isAsync && <span class="frame-word">async </span>}
      {frame.isConstructor && <span class="frame-word">new </span>}
      {frame.function ?? <span class="faint">anonymous</span>}
    </span>
  );
}

export function Frame({ frame, open }: { frame: StackFrame; open: boolean }) {
  const [shown, setShown] = useState(open);
  const { context } = frame;
  const head = (
    <>
      <Name frame={frame} />
      <Place frame={frame} />
    </>
  );
  return (
    <li class={`frame ${frame.inApp ? "own" : ""}`}>
      {context === undefined ? (
        <div class="frame-head">{head}</div>
      ) : (
        <button type="button" class="frame-head" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {head}
          <Icon name="chevron" />
        </button>
      )}
      {shown && context !== undefined && <Code {...context} line={frame.line} column={frame.column} />}
    </li>
  );
}

export function LibraryFrames({ frames }: { frames: StackFrame[] }) {
  const [shown, setShown] = useState(false);
  const names = libraryNames(frames);
  return (
    <>
      <li class="frame folded">
        <button type="button" class="frame-head small" aria-expanded={shown} onClick={() => setShown(!shown)}>
          <span>
            {frames.length} frames of {names === "" ? "libraries" : names}
          </span>
          <Icon name="chevron" />
        </button>
      </li>
      {shown && frames.map((frame, i) => <Frame key={i} frame={frame} open={false} />)}
    </>
  );
}
