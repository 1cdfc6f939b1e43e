/** From an event to the issue that it belongs to. */
import { writeOccurrence } from "../lib/event-row.ts";
import { withRange } from "../state/location.ts";
import { Icon } from "./icons.tsx";

interface Props {
  issue: number | null | undefined;
  /** The event: the issue's page then shows its stack. */
  of?: { invocation: string; seq: number };
  button?: boolean;
}

export function IssueLink({ issue, of, button = false }: Props) {
  if (issue === null || issue === undefined) return null;
  const at = of === undefined ? "" : `?at=${encodeURIComponent(writeOccurrence(of.invocation, of.seq))}`;
  return (
    <a
      class={button ? "btn" : "link small issue-link"}
      href={withRange(`/issues/${issue}${at}`)}
      onClick={(e) => e.stopPropagation()}
    >
      Issue #{issue}
      {button && <Icon name="arrow" />}
    </a>
  );
}
