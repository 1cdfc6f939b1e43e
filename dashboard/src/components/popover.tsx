/** A button with a panel that opens beneath it; Escape and a click elsewhere close it and give the focus back. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  label: string;
  button: ComponentChildren;
  buttonClass?: string;
  align?: "left" | "right";
  panelClass?: string;
  /** `close` returns the focus to the button. */
  children: (close: () => void) => ComponentChildren;
}

export function Popover({ label, button, buttonClass = "btn", align = "right", panelClass = "", children }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };

  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", onEscape, true);
    keepOnScreen(panel.current);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", onEscape, true);
    };
  }, [open]);

  return (
    <span class="pop-anchor" ref={root}>
      <button
        type="button"
        class={buttonClass}
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div ref={panel} class={`pop ${align} ${panelClass}`} role="dialog" aria-label={label}>
          {children(close)}
        </div>
      )}
    </span>
  );
}

const EDGE_PX = 8;

function keepOnScreen(panel: HTMLElement | null): void {
  if (panel === null) return;
  const { left, right } = panel.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const shift = left < EDGE_PX ? EDGE_PX - left : right > width - EDGE_PX ? width - EDGE_PX - right : 0;
  if (shift !== 0) panel.style.transform = `translateX(${shift}px)`;
}
