/** What it is set to, in words: where it goes, what of which Workers, how much. Secrets are only named. */
import type { CatalogEntry, DestinationRow } from "../../../../workers/api/contract.ts";
import { count, full } from "../../lib/format.ts";
import { FEED_LABELS, feedsText, NOTICE_LABELS, samplingText, workersText } from "../../lib/integrations.ts";

function shownValue(entry: CatalogEntry | undefined, name: string, value: string): string {
  const field = entry?.fields.find((f) => f.name === name);
  if (field?.type === "boolean") return value === "true" ? "yes" : "no";
  return field?.options?.find((o) => o.value === value)?.label ?? value;
}

export function SettingsCard({ row, entry }: { row: DestinationRow; entry: CatalogEntry | undefined }) {
  const { rules } = row;
  const label = (name: string) => entry?.fields.find((f) => f.name === name)?.label ?? name;
  const tags = Object.entries(rules.tags);
  const rates = samplingText(rules);
  return (
    <section class="settings-card" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <dl>
        {Object.entries(row.values)
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{label(name)}</dt>
              <dd class="mono">{shownValue(entry, name, value)}</dd>
            </div>
          ))}
        {row.secretsSet.map((name) => (
          <div key={name}>
            <dt>{label(name)}</dt>
            <dd class="muted">
              {row.hosts?.[name] !== undefined && <span class="mono">{row.hosts[name]}, </span>}
              stored, encrypted
            </dd>
          </div>
        ))}
        <div>
          <dt>Workers</dt>
          <dd>{workersText(rules)}</dd>
        </div>
        {rules.versions.length > 0 && (
          <div>
            <dt>Versions</dt>
            <dd class="mono">{rules.versions.join(", ")}</dd>
          </div>
        )}
        <div>
          <dt>Kinds</dt>
          <dd>
            {feedsText(rules.feeds)}
            {rules.feeds.includes("logs") && rules.minLevel !== "debug" && (
              <span class="muted">
                , {FEED_LABELS.logs.toLowerCase()} from {rules.minLevel} on
              </span>
            )}
            {rules.feeds.includes("notices") && rules.notices.length > 0 && (
              <span class="muted">
                , of notices: {rules.notices.map((n) => NOTICE_LABELS[n].toLowerCase()).join(", ")}
              </span>
            )}
          </dd>
        </div>
        <div hidden={!rules.feeds.some((f) => f !== "notices")}>
          <dt>Sampling</dt>
          <dd>
            {rates.length === 0 ? (
              "Everything"
            ) : (
              <ol>
                {rates.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ol>
            )}
          </dd>
        </div>
        <div>
          <dt>At most</dt>
          <dd>{rules.perMinute === null ? "No ceiling" : `${count(rules.perMinute)} items per minute`}</dd>
        </div>
        {tags.length > 0 && (
          <div>
            <dt>Tags</dt>
            <dd class="mono">{tags.map(([k, v]) => `${k}=${v}`).join(", ")}</dd>
          </div>
        )}
        {row.standby && (
          <div>
            <dt>Standby</dt>
            <dd>It only carries what others fail to deliver</dd>
          </div>
        )}
        <div>
          <dt>Set up</dt>
          <dd class="muted">
            {full(row.createdAt).slice(0, 16)}
            {row.createdBy !== "" && ` by ${row.createdBy}`}
          </dd>
        </div>
      </dl>
    </section>
  );
}
