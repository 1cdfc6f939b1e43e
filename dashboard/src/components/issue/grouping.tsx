/** What was grouped into the issue, and the way to take a merge back; for deaths, its incidents. */
import { useState } from "preact/hooks";
import type { IssueAnswer } from "../../../../workers/api/contract.ts";
import { count, full, roughly, span } from "../../lib/format.ts";
import { shortId } from "../../lib/versions.ts";
import { unmerge } from "../../state/triage.ts";
import { Icon } from "../icons.tsx";
import { Version } from "../version.tsx";

export function Fingerprints({ answer }: { answer: IssueAnswer }) {
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const { fingerprints, issue } = answer;
  const now = Date.now();
  const merged = fingerprints.filter((f) => f.homeIssueId !== issue.id);
  const toggle = (fingerprint: string) => {
    const next = new Set(chosen);
    if (!next.delete(fingerprint)) next.add(fingerprint);
    setChosen(next);
  };
  return (
    <details class="fingerprints" open={merged.length > 0}>
      <summary class="section-head">
        <h2>Grouped</h2>
        <span class="small faint">
          {fingerprints.length} {fingerprints.length === 1 ? "fingerprint" : "fingerprints"}
          {merged.length > 0 && `, ${merged.length} merged in by hand`}
        </span>
        <Icon name="chevron" />
      </summary>
      <ul>
        {fingerprints.map((f) => (
          <li key={f.fingerprint} class="fingerprint">
            {f.homeIssueId !== issue.id ? (
              <input
                type="checkbox"
                aria-label={`Take ${f.fingerprint} out`}
                checked={chosen.has(f.fingerprint)}
                onChange={() => toggle(f.fingerprint)}
              />
            ) : (
              <span />
            )}
            <code class="cut" title={f.fingerprint}>
              {f.fingerprint}
            </code>
            <span class="num small">{count(f.count)}</span>
            <span class="num small faint" title={full(f.lastSeen)}>
              {roughly(now - f.lastSeen)} ago
            </span>
            <span class="small muted fingerprint-note">
              {[
                f.homeIssueId === issue.id ? "" : `from #${f.homeIssueId}`,
                f.awaitsMap === "" ? "" : `waits for the source map of ${shortId(f.awaitsMap)}`,
              ]
                .filter((part) => part !== "")
                .join(" · ")}
            </span>
          </li>
        ))}
      </ul>
      {merged.length > 0 && (
        <button
          type="button"
          class="btn"
          disabled={chosen.size === 0}
          onClick={() => void unmerge(issue.id, [...chosen]).then((done) => done && setChosen(new Set()))}
        >
          Unmerge
        </button>
      )}
    </details>
  );
}

export function Incidents({ answer }: { answer: IssueAnswer }) {
  if (answer.incidents.length === 0) return null;
  return (
    <section aria-labelledby="incidents-title">
      <div class="section-head">
        <h2 id="incidents-title">Incidents</h2>
        <span class="small faint">an isolate that dies takes every request in flight with it</span>
      </div>
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Began</th>
              <th scope="col">Lasted</th>
              <th scope="col">Version</th>
              <th scope="col">Colo</th>
              <th scope="col" class="num">
                Victims
              </th>
            </tr>
          </thead>
          <tbody>
            {answer.incidents.map((i) => (
              <tr key={`${i.startedAt} ${i.version.id} ${i.colo}`}>
                <td class="mono">{full(i.startedAt).slice(0, 19)}</td>
                <td>{i.endedAt - i.startedAt < 1000 ? "at once" : span(i.endedAt - i.startedAt)}</td>
                <td>
                  <Version {...i.version} showMessage />
                </td>
                <td>{i.colo || "–"}</td>
                <td class="num">{count(i.victims)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
