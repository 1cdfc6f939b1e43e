/**
 * Keyboard shortcuts. Pages register theirs while they are mounted; `g` starts
 * a two-key sequence. Nothing fires while one types, except Escape.
 */
import { useEffect, useRef } from "preact/hooks";

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

/** The second key of a sequence must follow within this time. */
const SEQUENCE_MS = 1200;

const stack: { current: Shortcuts }[] = [];
let pending = "";
let pendingAt = 0;

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function find(key: string): Shortcuts[string] | undefined {
  for (let i = stack.length - 1; i >= 0; i--) {
    const hit = stack[i]?.current[key];
    if (hit !== undefined) return hit;
  }
  return undefined;
}

window.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) && event.key !== "Escape") return;
  // A button or link in focus handles its own keys.
  const own = event.key === "Enter" ? "a,button,summary,[role=option]" : event.key === " " ? "button,summary" : "";
  if (own !== "" && event.target instanceof HTMLElement && event.target.closest(own)) return;
  const sequence = pending !== "" && event.timeStamp - pendingAt < SEQUENCE_MS ? `${pending} ${event.key}` : event.key;
  pending = "";
  if (event.key === "g" && sequence === "g") {
    pending = "g";
    pendingAt = event.timeStamp;
    return;
  }
  const handler = find(sequence);
  if (handler === undefined) return;
  event.preventDefault();
  handler(event);
});

export function useShortcuts(shortcuts: Shortcuts): void {
  const ref = useRef(shortcuts);
  ref.current = shortcuts;
  useEffect(() => {
    stack.push(ref);
    return () => {
      stack.splice(stack.indexOf(ref), 1);
    };
  }, []);
}
