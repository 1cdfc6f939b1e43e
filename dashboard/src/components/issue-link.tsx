/** From an event to the issue that it belongs to. */
import { withRange } from "../state/location.ts";
import { Icon } from "./icons.tsx";

export function IssueLink({ issue, button = false }: { issue: number | null | undefined; button?: boolean }) {
  if (issue === null || issue === undefined) return null;
  return (
    <a
      class={button ? "btn" : "link small issue-link"}
      href={withRange(`/issues/${issue}`)}
      onClick={(e) => e.stopPropagation()}
    >
      Issue #{issue}
      {button && <Icon name="arrow" />}
    </a>
  );
}
