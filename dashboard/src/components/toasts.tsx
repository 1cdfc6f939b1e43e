/** Where toasts (state/toasts.ts) are shown: at the foot of the page, read out, and gone by themselves. */
import { dismiss, hold, release, toasts } from "../state/toasts.ts";
import { Icon } from "./icons.tsx";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div
          key={t.id}
          class={`toast ${t.tone ?? ""}`}
          onPointerEnter={() => hold(t.id)}
          onPointerLeave={() => release(t.id)}
          onFocusIn={() => hold(t.id)}
          onFocusOut={() => release(t.id)}
        >
          {t.href === undefined ? (
            <span class="grow">{t.text}</span>
          ) : (
            <a class="grow toast-link" href={t.href} onClick={() => dismiss(t.id)}>
              {t.text}
            </a>
          )}
          {t.action !== undefined && (
            <button
              type="button"
              class="link"
              onClick={() => {
                dismiss(t.id);
                t.action?.run();
              }}
            >
              {t.action.label}
            </button>
          )}
          <button type="button" class="icon-btn" aria-label="Dismiss" onClick={() => dismiss(t.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
