/** Is it broken, since when, which version: one line per Worker, the first thing on a page. */
import type { Finding } from "../lib/diagnose.ts";
import { about, count, moment, percent } from "../lib/format.ts";
import { exploreHref, FAILED_FILTER, term } from "../lib/query-text.ts";
import type { RangeText } from "../lib/range.ts";
import { withRange } from "../state/location.ts";
import { Icon } from "./icons.tsx";
import { Version } from "./version.tsx";

interface LineProps {
  finding: Finding;
  range: RangeText;
  now: number;
  showScript: boolean;
}

function FindingLine({ finding, range, now, showScript }: LineProps) {
  const { script, version, since, ongoing } = finding;
  const q = [term("script", script), version ? term("version", version.id) : "", FAILED_FILTER]
    .filter(Boolean)
    .join(" ");
  return (
    <li class={`finding ${ongoing ? "ongoing" : ""}`}>
      <span class={ongoing ? "bad" : "warn"}>
        <Icon name="alert" />
      </span>
      <span class="finding-text">
        {showScript && (
          <a class="finding-name" href={withRange(`/workers/${encodeURIComponent(script)}`)}>
            {script}
          </a>
        )}
        <span>
          {showScript ? (ongoing ? "fails" : "failed") : ongoing ? "Fails" : "Failed"}{" "}
          <b class={ongoing ? "bad" : "warn"}>{percent(finding.errorRate)}</b> of {count(finding.requests)} requests
        </span>
        {version && (
          <span class="finding-version">
            on <Version id={version.id} tag={version.tag} message={version.message} showMessage />
          </span>
        )}
        <span class="muted">
          {since === undefined
            ? "throughout this range"
            : ongoing
              ? `since ${moment(since, now)}, for ${about(now - since)}`
              : `from ${moment(since, now)}, now over`}
        </span>
        <a class="link" href={exploreHref(q, range)}>
          Show {count(finding.errors)} failures
        </a>
      </span>
    </li>
  );
}

const SHOWN = 4;

interface Props {
  findings: Finding[];
  range: RangeText;
  now: number;
  showScript?: boolean;
}

export function Findings({ findings, range, now, showScript = true }: Props) {
  if (findings.length === 0) {
    return (
      <p class="finding calm">
        <span class="good">
          <Icon name="check" />
        </span>
        <span>{showScript ? "No Worker fails" : "It does not fail"} more than 1 % of its requests in this range.</span>
      </p>
    );
  }
  return (
    <ul class="findings">
      {findings.slice(0, SHOWN).map((f) => (
        <FindingLine key={f.script} finding={f} range={range} now={now} showScript={showScript} />
      ))}
      {findings.length > SHOWN && <li class="small muted">and {findings.length - SHOWN} more below</li>}
    </ul>
  );
}
