/** What the receiver refused for good: to be looked at, sent again, or thrown away; one, some, or all. */
import { useState } from "preact/hooks";
import type { DeadLetter, DeadLetterSelection } from "../../../../workers/api/contract.ts";
import { ago, count, full } from "../../lib/format.ts";
import { FEED_LABELS, failureText } from "../../lib/integrations.ts";
import { actOnLetters, type LetterVerb, letters, useDeadLetters } from "../../state/dead-letters.ts";
import { mayChange } from "../../state/integrations.ts";
import { Dialog } from "../dialog.tsx";
import { RetryNotice } from "../states.tsx";
import { LetterDialog } from "./letter-dialog.tsx";

function AskAll({ verb, n, onDo, onClose }: { verb: LetterVerb; n: number; onDo: () => void; onClose: () => void }) {
  return (
    <Dialog title={verb === "discard" ? `Throw ${letters(n)} away?` : `Send ${letters(n)} again?`} onClose={onClose}>
      <div class="dialog-body ask">
        <p>
          {verb === "discard"
            ? "They are deleted from this list and will not reach the receiver. The events themselves stay in Tailrace as long as they are kept."
            : "What the receiver takes this time leaves the list; what it refuses again stays."}
        </p>
        <div class="row ask-buttons">
          <button
            type="button"
            class={`btn ${verb === "discard" ? "stop" : "primary"}`}
            onClick={() => {
              onClose();
              onDo();
            }}
          >
            {verb === "discard" ? "Throw away" : "Send again"}
          </button>
          <button type="button" class="btn quiet" autofocus onClick={onClose}>
            Cancel
          </button>
        </div>
      </div>
    </Dialog>
  );
}

interface RowProps {
  letter: DeadLetter;
  chosen: boolean;
  now: number;
  may: boolean;
  onChoose: (on: boolean) => void;
  onOpen: () => void;
}

function Row({ letter, chosen, now, may, onChoose, onOpen }: RowProps) {
  return (
    <tr class="click">
      {may && (
        <td>
          <input
            type="checkbox"
            aria-label={`Choose ${letter.title}`}
            checked={chosen}
            onChange={(e) => onChoose(e.currentTarget.checked)}
          />
        </td>
      )}
      <td class="letter-what">
        <button type="button" class="letter-open cut" onClick={onOpen}>
          {letter.title === "" ? "(no text)" : letter.title}
        </button>
        <span class="small faint cut">
          {FEED_LABELS[letter.feed]} of {letter.script}
        </span>
      </td>
      <td class="letter-why">
        <span class="cut" title={letter.failure.message}>
          {failureText(letter.failure)}
        </span>
        <span class="small faint">
          {letter.tries} {letter.tries === 1 ? "try" : "tries"}
        </span>
      </td>
      <td class="num muted" title={full(letter.at)}>
        {ago(letter.at, now)}
      </td>
    </tr>
  );
}

export function DeadLetters({ id, known, now }: { id: string; known: number; now: number }) {
  const list = useDeadLetters(id, known);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [opened, setOpened] = useState<number>();
  const [asked, setAsked] = useState<LetterVerb>();
  const [busy, setBusy] = useState(false);
  const may = mayChange();
  const present = [...chosen].filter((c) => list.letters.some((l) => l.id === c));
  const run = async (verb: LetterVerb, selection: DeadLetterSelection) => {
    setBusy(true);
    await actOnLetters(id, verb, selection);
    setBusy(false);
    setChosen(new Set());
    list.changed();
  };
  const choose = (letter: number, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(letter);
    else next.delete(letter);
    setChosen(next);
  };
  const some = present.length > 0;
  const ask = (verb: LetterVerb) => (some ? void run(verb, { ids: present }) : setAsked(verb));
  return (
    <section class="letters" aria-labelledby="letters-title">
      <div class="section-head">
        <h2 id="letters-title">Dead letters</h2>
        <span class="muted">{list.total > 0 ? count(list.total) : ""}</span>
        <span class="grow" />
        {may && list.total > 0 && (
          <>
            <button type="button" class="btn" disabled={busy} onClick={() => ask("replay")}>
              {some ? `Send ${present.length} again` : `Send all ${count(list.total)} again`}
            </button>
            <button type="button" class="btn danger" disabled={busy} onClick={() => ask("discard")}>
              {some ? `Throw ${present.length} away` : `Throw all ${count(list.total)} away`}
            </button>
          </>
        )}
      </div>
      {list.error !== undefined && <RetryNotice failure={list.error} retry={list.reload} />}
      {list.total === 0 && list.error === undefined && (
        <p class="muted">
          {list.data === undefined
            ? " "
            : "None. What the receiver refuses for good, and only that, is kept here, to be looked at, mended and sent again."}
        </p>
      )}
      {list.letters.length > 0 && (
        <div class="table-scroll">
          <table class="table letters-table">
            <thead>
              <tr>
                {may && (
                  <th scope="col">
                    <input
                      type="checkbox"
                      aria-label="Choose all that are shown"
                      checked={present.length === list.letters.length}
                      onChange={(e) => setChosen(new Set(e.currentTarget.checked ? list.letters.map((l) => l.id) : []))}
                    />
                  </th>
                )}
                <th scope="col">What</th>
                <th scope="col">Why it was refused</th>
                <th scope="col" class="num">
                  When
                </th>
              </tr>
            </thead>
            <tbody>
              {list.letters.map((letter) => (
                <Row
                  key={letter.id}
                  letter={letter}
                  chosen={chosen.has(letter.id)}
                  now={now}
                  may={may}
                  onChoose={(on) => choose(letter.id, on)}
                  onOpen={() => setOpened(letter.id)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.letters.length < list.total && list.letters.length > 0 && (
        <button type="button" class="btn" disabled={list.busy} onClick={() => void list.more()}>
          Older ones
        </button>
      )}
      {opened !== undefined && (
        <LetterDialog destination={id} letter={opened} onChanged={list.changed} onClose={() => setOpened(undefined)} />
      )}
      {asked !== undefined && (
        <AskAll
          verb={asked}
          n={list.total}
          onDo={() => void run(asked, { ids: "all" })}
          onClose={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}
