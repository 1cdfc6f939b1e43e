/** One dead letter: why it was refused, and what would be sent, as JSON that can be mended, then sent again or thrown away. */
import { useEffect, useState } from "preact/hooks";
import { integrationsApi } from "../../api/integrations.ts";
import { full } from "../../lib/format.ts";
import { FEED_LABELS, failureText } from "../../lib/integrations.ts";
import { actOnLetters } from "../../state/dead-letters.ts";
import { mayChange } from "../../state/integrations.ts";
import { asFailure, useResource } from "../../state/resource.ts";
import { Dialog } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import { Progress, RetryNotice } from "../states.tsx";

interface Props {
  destination: string;
  letter: number;
  onChanged: () => void;
  onClose: () => void;
}

const pretty = (json: string): string => {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
};

/** Why it is no JSON object; undefined when it is one. */
function mistakeIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? undefined
      : "It must be a JSON object.";
  } catch (error) {
    return `Not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function LetterDialog({ destination, letter, onChanged, onClose }: Props) {
  const { data, error, loading, reload } = useResource(String(letter), (s) =>
    integrationsApi.deadLetter(destination, letter, s),
  );
  const [text, setText] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ tone: "good" | "bad"; text: string }>();
  const stored = data === undefined ? undefined : pretty(data.deadLetter.item);
  useEffect(() => {
    if (stored !== undefined) setText((old) => old ?? stored);
  }, [stored]);
  const may = mayChange();
  const mistake = text === undefined ? undefined : mistakeIn(text);
  const isChanged = text !== undefined && text !== stored;

  const save = async (): Promise<boolean> => {
    if (text === undefined || mistake !== undefined) return false;
    if (!isChanged) return true;
    setBusy(true);
    try {
      const answer = await integrationsApi.editDeadLetter(destination, letter, text);
      setText(pretty(answer.deadLetter.item));
      setSaid({ tone: "good", text: "Stored." });
      return true;
    } catch (failure) {
      setSaid({ tone: "bad", text: asFailure(failure).message });
      return false;
    } finally {
      setBusy(false);
    }
  };
  const replay = async () => {
    if (!(await save())) return;
    setBusy(true);
    const went = await actOnLetters(destination, "replay", { ids: [letter] });
    setBusy(false);
    onChanged();
    if (went) onClose();
    else {
      setSaid({ tone: "bad", text: "Not taken: see above why." });
      reload();
    }
  };
  const discard = async () => {
    setBusy(true);
    const went = await actOnLetters(destination, "discard", { ids: [letter] });
    setBusy(false);
    onChanged();
    if (went) onClose();
  };

  return (
    <Dialog wide title="Dead letter" onClose={onClose}>
      <div class="dialog-body letter">
        <Progress show={loading && data === undefined} />
        {error !== undefined && <RetryNotice failure={error} retry={reload} />}
        {data !== undefined && (
          <>
            <dl class="letter-facts">
              <div>
                <dt>What</dt>
                <dd>
                  {data.deadLetter.title}{" "}
                  <span class="muted">
                    {FEED_LABELS[data.deadLetter.feed]} of {data.deadLetter.script}, {full(data.deadLetter.at)}
                  </span>
                </dd>
              </div>
              <div>
                <dt>Refused</dt>
                <dd>
                  <span class="bad">{failureText(data.deadLetter.failure)}</span>{" "}
                  <span class="muted">
                    {data.deadLetter.tries} {data.deadLetter.tries === 1 ? "try" : "tries"}
                  </span>
                </dd>
              </div>
            </dl>
            <label class="field-label" for="letter-json">
              What is sent
            </label>
            <textarea
              id="letter-json"
              class="input mono"
              rows={16}
              spellcheck={false}
              readOnly={!may}
              aria-invalid={mistake === undefined ? undefined : "true"}
              aria-describedby="letter-notes"
              value={text ?? ""}
              onInput={(e) => {
                setText(e.currentTarget.value);
                setSaid(undefined);
              }}
            />
            <p class="small letter-said" id="letter-notes" role="status">
              {mistake !== undefined ? (
                <span class="bad">{mistake}</span>
              ) : said !== undefined ? (
                <span class={said.tone}>{said.text}</span>
              ) : (
                <span class="faint">Before it is put into the receiver's words.</span>
              )}
            </p>
            {may && (
              <div class="row letter-buttons">
                <button
                  type="button"
                  class="btn primary"
                  disabled={busy || mistake !== undefined}
                  onClick={() => void replay()}
                >
                  <Icon name="regressed" />
                  {isChanged ? "Save and send again" : "Send again"}
                </button>
                <button
                  type="button"
                  class="btn"
                  disabled={busy || !isChanged || mistake !== undefined}
                  onClick={() => void save().then((done) => done && reload())}
                >
                  Save
                </button>
                <span class="grow" />
                <button type="button" class="btn danger" disabled={busy} onClick={() => void discard()}>
                  Throw away
                </button>
              </div>
            )}
          </>
        )}
      </div>
    </Dialog>
  );
}
