/** The quiet badge beside every figure: how complete it is, and why. The ledger is behind it. */
import type { Completeness } from "../../../workers/api/contract.ts";
import { count, percent, span } from "../lib/format.ts";
import { Popover } from "./popover.tsx";

/** Sealing takes up to a few minutes by design; beyond this it is worth a word. */
const BEHIND_MS = 10 * 60_000;

const ROWS: [keyof Completeness, string, string][] = [
  ["received", "Received", "Invocations that Workers reported"],
  ["kept", "Kept", "Stored and shown"],
  ["sampledOut", "Sampled out", "By a rule; weights make up for them"],
  ["rateLimited", "Rate-limited", "Over the limit of their Worker"],
  ["overloaded", "Overloaded", "Dropped because a buffer was full"],
  ["truncated", "Truncated", "Kept, but the platform had cut their logs"],
  ["unreadable", "Unreadable", "Kept raw: kind:raw finds them"],
];

function stateOf(c: Completeness): { tone: string; text: string } {
  if (c.missing !== undefined && c.missing.length > 0) return { tone: "var(--red)", text: "Partly unread" };
  if (c.ratio < 0.9995) return { tone: "var(--amber)", text: `${percent(c.ratio)} complete` };
  if (c.behindMs > BEHIND_MS) return { tone: "var(--amber)", text: "Sealing is behind" };
  return { tone: "var(--green)", text: "Complete" };
}

export function CompletenessBadge({ value }: { value: Completeness | undefined }) {
  if (value === undefined) return null;
  const { tone, text } = stateOf(value);
  return (
    <Popover
      label={`${text}. How complete are these figures?`}
      buttonClass="btn quiet small"
      panelClass="ledger"
      button={
        <>
          <span class="dot" style={{ "--dot": tone }} />
          {text}
        </>
      }
    >
      {() => (
        <>
          <h2>Completeness of this answer</h2>
          <table>
            <tbody>
              {ROWS.map(([key, label, why]) => (
                <tr key={key} class={value[key] === 0 && key !== "received" && key !== "kept" ? "faint" : ""}>
                  <th scope="row">
                    {label}
                    <span class="small faint">{why}</span>
                  </th>
                  <td class="num">{count(value[key] as number)}</td>
                </tr>
              ))}
              <tr>
                <th scope="row">
                  Not sealed yet since
                  <span class="small faint">Already counted and shown here</span>
                </th>
                <td class="num">{value.behindMs > 0 ? span(value.behindMs) : "–"}</td>
              </tr>
            </tbody>
          </table>
          {value.missing?.map((text) => (
            <p key={text} class="bad small">
              {text}
            </p>
          ))}
        </>
      )}
    </Popover>
  );
}
