/** What happened to the issue and what people said about it, oldest first. */
import { useState } from "preact/hooks";
import type { IssueActivity } from "../../../../workers/api/contract.ts";
import { full, roughly } from "../../lib/format.ts";
import { activityText } from "../../lib/issues.ts";
import { session } from "../../state/session.ts";
import { comment, deleteComment } from "../../state/triage.ts";
import { Icon } from "../icons.tsx";

const MAX_COMMENT_CHARS = 10_000;

function Line({ id, a, now }: { id: number; a: IssueActivity; now: number }) {
  const said = a.kind === "commented" && typeof a.detail.text === "string" ? a.detail.text : undefined;
  return (
    <li class={`activity-line ${a.kind === "regressed" || a.kind === "escalated" ? "loud" : ""}`}>
      <span>
        <b>{a.actor || "Tailrace"}</b> {activityText(a)}
      </span>
      <time class="small faint" dateTime={new Date(a.at).toISOString()} title={full(a.at)}>
        {roughly(now - a.at)} ago
      </time>
      {said !== undefined && a.actor === session.value?.actor && (
        <button
          type="button"
          class="icon-btn activity-delete"
          aria-label="Delete the comment"
          title="Delete"
          onClick={() => void deleteComment(id, a.id)}
        >
          <Icon name="close" />
        </button>
      )}
      {said !== undefined && <p class="activity-said">{said}</p>}
    </li>
  );
}

function Write({ id }: { id: number }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (text.trim() === "" || busy) return;
    setBusy(true);
    if (await comment(id, text.trim())) setText("");
    setBusy(false);
  };
  return (
    <form
      class="activity-write"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <textarea
        id="comment"
        class="input"
        rows={2}
        maxLength={MAX_COMMENT_CHARS}
        aria-label="Comment"
        placeholder="What you found out, for who comes next"
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) void send();
          if (e.key === "Escape") e.currentTarget.blur();
        }}
      />
      <button type="submit" class="btn" disabled={busy || text.trim() === ""}>
        Comment
      </button>
    </form>
  );
}

export function Activity({ id, activity }: { id: number; activity: IssueActivity[] }) {
  const now = Date.now();
  const sorted = [...activity].sort((a, b) => a.at - b.at || a.id - b.id);
  return (
    <section aria-labelledby="activity-title">
      <div class="section-head">
        <h2 id="activity-title">Activity</h2>
      </div>
      <ol class="activity">
        {sorted.map((a) => (
          <Line key={a.id} id={id} a={a} now={now} />
        ))}
      </ol>
      {session.value?.scope !== "read" && <Write id={id} />}
    </section>
  );
}
