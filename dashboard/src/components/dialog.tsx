/** A modal dialog with a title: Escape and a click beside it close it, and keys of the page behind do not work meanwhile. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";

interface Props {
  title: ComponentChildren;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

const stop = (event: Event) => event.stopPropagation();

export function Dialog({ title, wide = false, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${wide ? "wide" : ""}`}
      aria-labelledby="dialog-title"
      onClose={onClose}
      onKeyDown={stop}
      onKeyUp={stop}
      onPointerDown={(e) => {
        if (e.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="icon-btn" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}
