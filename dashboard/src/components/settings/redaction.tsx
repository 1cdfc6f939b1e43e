/** What is taken out of events before they are stored. */
import { useState } from "preact/hooks";
import type { PlatformSettings } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { Field, namesIn, SaveRow, useSaving } from "./form.tsx";
import { PlatformForm } from "./platform.tsx";

function Editor({ initial }: { initial: PlatformSettings }) {
  const [draft, setDraft] = useState(initial.redaction);
  const [keys, setKeys] = useState(initial.redaction.keys.join("\n"));
  const [except, setExcept] = useState(initial.redaction.except.join("\n"));
  const saving = useSaving();
  const submit = (event: Event) => {
    event.preventDefault();
    const redaction = { ...draft, keys: namesIn(keys), except: namesIn(except) };
    void saving.save(() => api.saveSettings({ ...initial, redaction }));
  };
  return (
    <form class="form" onSubmit={submit} onInput={saving.touch}>
      <p class="muted">
        Applied to headers, URLs, query strings, log text and nested attributes before anything is stored or shown.
        Credentials, cookies and authorization are always in the default set.
      </p>
      <div class="form-row">
        <Field label="Redact these names too" hint="One per line; * stands for anything.">
          <textarea
            class="input mono"
            rows={6}
            value={keys}
            placeholder={"x-internal-*\niban"}
            onInput={(e) => setKeys(e.currentTarget.value)}
          />
        </Field>
        <Field label="Leave these alone" hint="Names of the default set that are harmless here.">
          <textarea class="input mono" rows={6} value={except} onInput={(e) => setExcept(e.currentTarget.value)} />
        </Field>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={draft.cardNumbers}
          onChange={(e) => setDraft({ ...draft, cardNumbers: e.currentTarget.checked })}
        />
        Numbers that look like payment cards
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={draft.emails}
          onChange={(e) => setDraft({ ...draft, emails: e.currentTarget.checked })}
        />
        E-mail addresses
      </label>
      <SaveRow saving={saving} />
    </form>
  );
}

export const Redaction = () => <PlatformForm editor={Editor} />;
