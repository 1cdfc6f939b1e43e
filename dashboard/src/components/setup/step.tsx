/** One numbered part of a set-up, all on one page: what is done, what is wrong, and what comes. */
import type { ComponentChildren } from "preact";
import { Icon } from "../icons.tsx";

interface Props {
  n: number;
  title: string;
  note?: ComponentChildren;
  state?: "" | "done" | "wrong";
  children: ComponentChildren;
}

export function Step({ n, title, note, state = "", children }: Props) {
  return (
    <section class={`step ${state}`} aria-labelledby={`step-${n}`}>
      <span class="step-mark" aria-hidden="true">
        {state === "done" ? <Icon name="check" /> : state === "wrong" ? <Icon name="alert" /> : n}
      </span>
      <div class="step-body">
        <h2 id={`step-${n}`}>
          <span class="sr">{`Step ${n}: `}</span>
          {title}
          {state === "wrong" && <span class="sr">, something is missing</span>}
        </h2>
        {note !== undefined && <p class="muted step-note">{note}</p>}
        {children}
      </div>
    </section>
  );
}
