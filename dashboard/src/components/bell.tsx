/** The bell: how many notifications are unread, and the list of the last ones. Opening it marks them read. */
import { useState } from "preact/hooks";
import type { Notification } from "../../../workers/api/contract.ts";
import { full, roughly } from "../lib/format.ts";
import { isBadNews, noticeHref, noticeParts, noticeWord } from "../lib/notices.ts";
import { isUnread, markAllRead, notifications, unread } from "../state/notifications.ts";
import { Icon } from "./icons.tsx";
import { Popover } from "./popover.tsx";
import { Version } from "./version.tsx";

function Item({ n, fresh, now, onOpen }: { n: Notification; fresh: boolean; now: number; onOpen: () => void }) {
  const { type, text, culprit } = noticeParts(n);
  return (
    <li>
      <a class={`bell-item ${fresh ? "fresh" : ""}`} href={noticeHref(n)} onClick={onOpen}>
        <span class="bell-what">
          <b class={isBadNews(n) ? "bad" : ""}>{noticeWord(n)}</b>
          <span class="muted cut">{n.script}</span>
          {fresh && <span class="sr">unread</span>}
          <time class="faint small" dateTime={new Date(n.at).toISOString()} title={full(n.at)}>
            {roughly(now - n.at)} ago
          </time>
        </span>
        <span class="bell-title">
          {type !== "" && <b>{type} </b>}
          {text}
        </span>
        <span class="bell-where small">
          <Version {...n.detail.version} showMessage />
          <span class="faint cut">{culprit}</span>
        </span>
      </a>
    </li>
  );
}

function List({ close }: { close: () => void }) {
  // What was unread when the list was opened stays marked while it is open.
  const [fresh] = useState(() => new Set(notifications.value.filter(isUnread).map((n) => n.id)));
  const now = Date.now();
  if (!notifications.value.every((n) => !isUnread(n))) markAllRead();
  return (
    <>
      <div class="bell-head">
        <h2>Notifications</h2>
        <a class="link small" href="/issues?sort=first_seen" onClick={close}>
          Newest issues
        </a>
      </div>
      {notifications.value.length === 0 ? (
        <p class="muted bell-none">
          Nothing yet. New issues, regressions and what rollouts do are told here within seconds.
        </p>
      ) : (
        <ul class="bell-list">
          {notifications.value.map((n) => (
            <Item key={n.id} n={n} fresh={fresh.has(n.id)} now={now} onOpen={close} />
          ))}
        </ul>
      )}
    </>
  );
}

export function Bell() {
  const n = unread.value.length;
  return (
    <Popover
      label={n === 0 ? "Notifications" : `Notifications, ${n} unread`}
      buttonClass="icon-btn bell"
      panelClass="bell-pop"
      button={
        <>
          <Icon name="bell" />
          {n > 0 && <span class="bell-count">{n > 9 ? "9+" : n}</span>}
        </>
      }
    >
      {(close) => <List close={close} />}
    </Popover>
  );
}
