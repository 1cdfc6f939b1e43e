/** The query language on one card. docs/query-language.md is the long form. */
import { Icon } from "./icons.tsx";
import { Popover } from "./popover.tsx";

const LINES: [string, string][] = [
  ["script:shop", "a field has this value"],
  ["-colo:LHR", "and not this one"],
  ["status:>=500", "compare numbers"],
  ["duration:100..500", "a range, both ends included"],
  ["route:/cart*", "begins with"],
  ["message:/time(d )?out/", "a regular expression"],
  ["user.id:*", "the field exists"],
  ['"card declined"', "a phrase in message or stack"],
  ["failed:true", "what counts as a failure"],
  ["(a:1 OR b:2) NOT c:3", "AND is understood"],
  ["| stats count(), p99(duration) by route", "figures per value"],
  ["| stats count() by version, bin(1m)", "over time: drawn as a chart"],
  ["| where count:>10", "filter what came out"],
  ["| sort count desc | limit 20", "order and cut"],
  ["| fields time, message, user.id", "choose columns"],
];

interface Props {
  onTake: (text: string) => void;
  /** Without the pipes. */
  filterOnly?: boolean;
}

export function SyntaxHelp({ onTake, filterOnly = false }: Props) {
  return (
    <Popover label="Query syntax" buttonClass="icon-btn" panelClass="syntax" button={<Icon name="help" />}>
      {(close) => (
        <>
          <h2>{filterOnly ? "Filter syntax" : "Query syntax"}</h2>
          <ul>
            {LINES.filter(([code]) => !(filterOnly && code.startsWith("|"))).map(([code, what]) => (
              <li key={code}>
                <button
                  type="button"
                  class="syntax-row"
                  onClick={() => {
                    close();
                    onTake(code);
                  }}
                >
                  <code>{code}</code>
                  <span class="small muted">{what}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Popover>
  );
}
