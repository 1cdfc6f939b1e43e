/** The list of keyboard shortcuts, on `?`. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";

const open = signal(false);
export const openHelp = () => {
  open.value = true;
};

const KEYS: [string, string[], string][] = [
  ["Anywhere", ["g", "o"], "Go to Overview"],
  ["Anywhere", ["g", "i"], "Go to Issues"],
  ["Anywhere", ["g", "r"], "Go to Rollouts"],
  ["Anywhere", ["g", "l"], "Go to Live"],
  ["Anywhere", ["g", "e"], "Go to Explore"],
  ["Anywhere", ["g", "n"], "Go to Integrations"],
  ["Anywhere", ["g", "t"], "Go to Status"],
  ["Anywhere", ["g", "s"], "Go to Settings"],
  ["Anywhere", ["/"], "Write a query"],
  ["Anywhere", ["t"], "Light or dark"],
  ["Anywhere", ["?"], "This list"],
  ["Lists", ["j"], "Next"],
  ["Lists", ["k"], "Previous"],
  ["Lists", ["Enter"], "Open"],
  ["Lists", ["Esc"], "Close, leave the query"],
  ["Explore", ["i"], "Open the event's invocation"],
  ["Live", ["Space"], "Pause, go on"],
  ["Live", ["f"], "Follow the newest"],
  ["Live", ["/"], "Write a filter"],
  ["Live", ["Enter"], "Expand, collapse"],
  ["Live", ["i"], "Open the event's invocation"],
  ["Issues", ["e"], "Resolve"],
  ["Issues", ["r"], "Resolve in a version"],
  ["Issues", ["i"], "Ignore"],
  ["Issues", ["u"], "Unresolve"],
  ["Issues", ["a"], "Assign"],
  ["Issues", ["x"], "Select"],
  ["Issues", ["⇧", "x"], "Select up to here"],
  ["Issues", ["m"], "Merge what is selected"],
  ["Issues", ["c"], "Comment"],
  ["Issues", ["z"], "Undo"],
  ["Issues", ["/"], "Search"],
  ["Rollouts", ["n"], "Start one"],
  ["Rollout", ["b"], "Take back"],
  ["Rollout", ["p"], "Promote now"],
  ["Rollout", ["Space"], "Pause, go on"],
  ["Integrations", ["/"], "Search the marketplace"],
  ["Destination", ["p"], "Pause, go on"],
  ["Destination", ["e"], "Edit"],
  ["Query", ["↑", "↓"], "Choose a completion"],
  ["Query", ["Tab"], "Take it"],
  ["Query", ["Enter"], "Run"],
];

export function HelpDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open.value]);
  const sections = [...new Set(KEYS.map(([section]) => section))];
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="help-title"
      onClose={() => {
        open.value = false;
      }}
      onClick={(e) => {
        if (e.target === dialog.current) open.value = false;
      }}
    >
      <div class="dialog-head">
        <h1 id="help-title">Keyboard</h1>
        <button type="button" class="icon-btn" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div class="dialog-body help-grid">
        {sections.map((section) => (
          <section key={section}>
            <h2 class="faint">{section}</h2>
            <dl>
              {KEYS.filter(([s]) => s === section).map(([, keys, what]) => (
                <div key={what} class="row">
                  <dt>{what}</dt>
                  <dd>
                    {keys.map((k) => (
                      <kbd key={k} class="kbd">
                        {k}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
