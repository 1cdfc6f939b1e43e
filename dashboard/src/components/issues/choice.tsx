/**
 * A small dialog that asks for one of a few things, by key or by click. Opened
 * from the keyboard on a row as well as from a button, so it stands in the
 * middle and not beside either. Digits choose at once.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons.tsx";
import "../../styles/choice.css";

export interface Choice {
  label: string;
  detail?: ComponentChildren;
  current?: boolean;
  run: () => void;
}

interface Props {
  title: string;
  choices: Choice[];
  /** What one types filters the choices, and may be a choice of its own. */
  free?: { placeholder: string; choiceOf: (text: string) => Choice };
  onClose: () => void;
  children?: ComponentChildren;
}

/** Keys of the page behind must not work meanwhile. */
const stop = (event: Event) => event.stopPropagation();

export function ChoiceDialog({ title, choices, free, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const wanted = text.trim().toLowerCase();
  const shown = choices.filter((c) => wanted === "" || c.label.toLowerCase().includes(wanted));
  if (free !== undefined && wanted !== "" && !shown.some((c) => c.label.toLowerCase() === wanted))
    shown.push(free.choiceOf(text.trim()));

  const take = (choice: Choice | undefined) => {
    if (choice === undefined) return;
    dialog.current?.close();
    choice.run();
  };
  const move = (step: number) => {
    const items = [...(dialog.current?.querySelectorAll<HTMLElement>(".choice") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "ArrowDown" || (event.key === "j" && !typing)) move(1);
    else if (event.key === "ArrowUp" || (event.key === "k" && !typing)) move(-1);
    else if (event.key === "Enter" && typing && free !== undefined && event.target.dataset.free !== undefined)
      take(shown[0]);
    else if (/^[1-9]$/.test(event.key) && !typing) take(shown[Number(event.key) - 1]);
    else return;
    event.preventDefault();
  };

  return (
    <dialog
      ref={dialog}
      class="dialog choice-dialog"
      aria-labelledby="choice-title"
      onClose={onClose}
      onKeyDown={onKeyDown}
      onKeyUp={stop}
      onClick={(e) => {
        if (e.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="dialog-head">
        <h2 id="choice-title">{title}</h2>
        <button type="button" class="icon-btn" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      {free !== undefined && (
        <input
          class="input choice-free"
          data-free=""
          autofocus
          aria-label={free.placeholder}
          placeholder={free.placeholder}
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
      )}
      <ul class="choices">
        {shown.map((c, i) => (
          <li key={c.label}>
            <button
              type="button"
              class="menu-item choice"
              autofocus={free === undefined && i === 0}
              aria-pressed={c.current ?? undefined}
              onClick={() => take(c)}
            >
              <span class="cut">{c.label} </span>
              <span class="grow small faint cut">{c.detail}</span>
              {free === undefined && i < 9 && <kbd class="kbd">{i + 1}</kbd>}
            </button>
          </li>
        ))}
      </ul>
      {children}
    </dialog>
  );
}
