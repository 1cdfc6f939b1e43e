/** The line between filter and list: how the stream is, and what one can do with it. */
import { count } from "../../lib/format.ts";
import type { LiveFeed } from "../../state/live-feed.ts";
import { Icon } from "../icons.tsx";
import { ConnectionState, Meter, NotShown } from "./status.tsx";

interface Props {
  feed: LiveFeed;
  question: string;
  exploreHref: string;
}

function PauseButton({ feed }: { feed: LiveFeed }) {
  feed.beat.value;
  if (!feed.paused.value)
    return (
      <button
        type="button"
        class="btn"
        disabled={feed.isIdle}
        title={
          feed.isIdle
            ? "Nothing comes in that could be paused"
            : feed.connection.value.state === "live"
              ? "Pause (Space)"
              : "Pause (Space). What comes after the reconnect waits."
        }
        aria-label="Pause"
        onClick={() => feed.pause()}
      >
        <Icon name="pause" />
        <span class="hide-phone">Pause</span>
      </button>
    );
  const { length, dropped } = feed.waiting;
  return (
    <button
      type="button"
      class="btn primary"
      title={dropped > 0 ? `Resume (Space). The newest ${count(length)} are kept.` : "Resume (Space)"}
      onClick={() => feed.resume()}
    >
      <Icon name="play" />
      <span class="hide-phone">Resume</span>
      <span class="num live-waiting">
        {count(length + dropped)}
        <span class="hide-phone"> waiting</span>
        <span class="sr"> waiting</span>
      </span>
    </button>
  );
}

export function LiveBar({ feed, question, exploreHref }: Props) {
  const follow = feed.follow.value;
  const paused = feed.paused.value;
  const connection = feed.connection.value;
  return (
    <div class={`explore-bar live-bar ${paused || connection.state !== "live" ? "still" : ""}`}>
      <ConnectionState feed={feed} />
      <Meter feed={feed} />
      <NotShown feed={feed} question={question} />
      <span class="grow" />
      <PauseButton feed={feed} />
      <button
        type="button"
        class="btn quiet live-follow hide-phone"
        aria-pressed={follow}
        aria-label="Follow the newest"
        title={follow ? "The newest is in view (f)" : "Follow the newest (f)"}
        onClick={() => feed.setFollow(!follow)}
      >
        <Icon name="follow" />
        <span class="hide-narrow">Follow</span>
      </button>
      <button
        type="button"
        class="btn quiet"
        aria-label="Clear the list"
        title="Clear the list"
        onClick={() => feed.clear()}
      >
        <Icon name="clear" />
        <span class="hide-narrow">Clear</span>
      </button>
      <a
        class="btn quiet hide-phone"
        href={exploreHref}
        aria-label="Explore with this filter"
        title="The last hour with this filter"
      >
        <Icon name="search" />
        <span class="hide-narrow">Explore</span>
      </a>
    </div>
  );
}
