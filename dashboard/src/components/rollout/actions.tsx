/**
 * What a person may do to a rollout that runs: take back, promote now, pause, go
 * on. Taking back and promoting ask first and say what will happen; a pause is
 * undone in its toast. Only scopes that may steer see any of it.
 */
import { useState } from "preact/hooks";
import type { RolloutAnswer, RolloutEvent } from "../../../../workers/api/contract.ts";
import { hasEnded, maySteer, onlyWatches, share } from "../../lib/rollouts.ts";
import { versionName } from "../../lib/series.ts";
import { useShortcuts } from "../../state/keys.ts";
import { session } from "../../state/session.ts";
import { steer } from "../../state/steering.ts";
import { Dialog } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import { Field } from "../settings/form.tsx";
import { Version } from "../version.tsx";
import { Findings } from "./findings.tsx";

type Asked = "abort" | "promote";
const MAX_REASON_CHARS = 500;

/** What the newest look before a change found: whether the old version can come back. */
function lastFindings(events: readonly RolloutEvent[]) {
  const newest = events.findLast((e) => e.findings !== undefined);
  return (newest?.findings ?? []).filter((f) => f.level !== "info");
}

interface AskProps {
  answer: RolloutAnswer;
  onClose: () => void;
}

function useSend({ answer, onClose }: AskProps) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (verb: Asked, said: string, percent?: number) => {
    if (busy) return;
    setBusy(true);
    const done = await steer(
      answer.rollout,
      verb,
      { ...(reason.trim() === "" ? {} : { reason: reason.trim() }), ...(percent === undefined ? {} : { percent }) },
      said,
    );
    setBusy(false);
    if (done) onClose();
  };
  const field = (
    <Field label="Why" hint="For the record. May stay empty.">
      <input
        class="input"
        maxLength={MAX_REASON_CHARS}
        value={reason}
        onInput={(e) => setReason(e.currentTarget.value)}
      />
    </Field>
  );
  return { send, busy, field };
}

function TakeBack({ answer, onClose }: AskProps) {
  const { rollout } = answer;
  const { send, busy, field } = useSend({ answer, onClose });
  const watches = onlyWatches(rollout);
  const findings = lastFindings(answer.events);
  return (
    <Dialog title={watches ? "Stop watching?" : "Take the new version back?"} onClose={onClose}>
      <form
        class="dialog-body ask"
        onSubmit={(e) => {
          e.preventDefault();
          void send("abort", watches ? "No longer watched" : "Asked to take it back");
        }}
      >
        {watches ? (
          <p>
            Tailrace stops comparing these versions. It changes nothing at Cloudflare: the split stays as it is, and is
            yours to change.
          </p>
        ) : (
          <>
            <ul class="ask-what">
              <li>
                All traffic goes to <Version {...rollout.old} showMessage /> at once, Durable Objects that are at work
                included.
              </li>
              <li>
                <Version {...rollout.new} showMessage /> gets none of it; now it has {share(rollout.percent)}.
              </li>
              <li>The rollout ends here. To try again, start a new one, from its first step.</li>
            </ul>
            {findings.length > 0 && <Findings findings={findings} />}
          </>
        )}
        {field}
        <div class="row ask-buttons">
          <button type="submit" class={`btn ${watches ? "primary" : "stop"}`} autofocus disabled={busy}>
            {watches ? "Stop watching" : `Take back ${versionName(rollout.new)}`}
          </button>
          <button type="button" class="btn quiet" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Promote({ answer, onClose }: AskProps) {
  const { rollout, judgement } = answer;
  const { send, busy, field } = useSend({ answer, onClose });
  const ahead = rollout.plan.steps.slice(rollout.step + 1);
  const [to, setTo] = useState(ahead[0]?.percent ?? 100);
  const isLast = to >= 100;
  return (
    <Dialog title="Promote without waiting?" onClose={onClose}>
      <form
        class="dialog-body ask"
        onSubmit={(e) => {
          e.preventDefault();
          void send("promote", `Asked for ${share(to)}`, to);
        }}
      >
        <Field label="To">
          <select class="input" value={String(to)} onChange={(e) => setTo(Number(e.currentTarget.value))}>
            {ahead.map((s) => (
              <option key={s.percent} value={String(s.percent)}>
                {share(s.percent)}
              </option>
            ))}
          </select>
        </Field>
        <ul class="ask-what">
          <li>
            <Version {...rollout.new} showMessage /> goes from {share(rollout.percent)} to {share(to)} of the traffic at
            once.
          </li>
          <li>
            {isLast
              ? "Then nothing is left to compare it with: the rollout ends, and the guard cannot take it back any more."
              : "The guard goes on watching from there, and still takes back a version that is worse."}
          </li>
        </ul>
        {judgement?.verdict === "worse" && (
          <p class="notice">
            <Icon name="alert" />
            <span>The new version is worse: {judgement.reason}</span>
          </p>
        )}
        {judgement?.verdict !== "worse" && judgement?.verdict !== "not_worse" && (
          <p class="notice warn">
            <Icon name="alert" />
            <span>It is not known yet whether the new version is worse.</span>
          </p>
        )}
        {field}
        <div class="row ask-buttons">
          <button type="submit" class="btn primary" autofocus disabled={busy || ahead.length === 0}>
            Promote to {share(to)}
          </button>
          <button type="button" class="btn quiet" onClick={onClose}>
            Wait for the verdict
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function Actions({ answer }: { answer: RolloutAnswer }) {
  const { rollout } = answer;
  const [asked, setAsked] = useState<Asked>();
  const may = maySteer(session.value?.scope) && !hasEnded(rollout);
  const watches = onlyWatches(rollout);
  const paused = rollout.state === "paused";
  const pause = () => void steer(rollout, paused ? "resume" : "pause", {});
  useShortcuts({
    b: () => may && setAsked("abort"),
    p: () => may && !watches && setAsked("promote"),
    " ": () => may && pause(),
  });
  if (!may) return null;
  return (
    <span class="roll-actions">
      <button type="button" class="btn" onClick={pause}>
        <Icon name={paused ? "play" : "pause"} />
        {paused ? "Resume" : "Pause"}
      </button>
      {!watches && (
        <button type="button" class="btn" onClick={() => setAsked("promote")}>
          Promote now
        </button>
      )}
      <button type="button" class={`btn ${watches ? "" : "stop"}`} onClick={() => setAsked("abort")}>
        {!watches && <Icon name="regressed" />}
        {watches ? "Stop watching" : "Take back"}
      </button>
      {asked === "abort" && <TakeBack answer={answer} onClose={() => setAsked(undefined)} />}
      {asked === "promote" && <Promote answer={answer} onClose={() => setAsked(undefined)} />}
    </span>
  );
}
