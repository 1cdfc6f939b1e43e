/** /integrations/workers: the account's Workers, which of them Tailrace hears, and connecting one with a click. */
import { useEffect, useState } from "preact/hooks";
import type { Connection, ConnectionsAnswer } from "../../../workers/api/contract.ts";
import { integrationsApi } from "../api/integrations.ts";
import { Icon } from "../components/icons.tsx";
import { CodeBlock } from "../components/integrations/markdown.tsx";
import { ErrorState, Progress, StaleNotice } from "../components/states.tsx";
import { ago, count, full } from "../lib/format.ts";
import { connectionState, listed } from "../lib/integrations.ts";
import { act, integrationsChanged, mayChange, useConnections } from "../state/integrations.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate } from "../state/location.ts";
import "../styles/integrations.css";
import "../styles/connections.css";

/** From here on one searches rather than looks. */
const SEARCH_FROM = 9;

function State({ c, now }: { c: Connection; now: number }) {
  const state = connectionState(c);
  if (state === "self") return <span class="muted">This is Tailrace: it never listens to itself</span>;
  if (state === "off")
    return <span class="faint">{c.lastSeen === null ? "Not connected" : "Not connected any more"}</span>;
  if (state === "waiting")
    return (
      <span class="row warn">
        <Icon name="clock" />
        Connected, waiting for the first event
      </span>
    );
  return (
    <span class="row good" title={c.lastSeen === null ? undefined : full(c.lastSeen)}>
      <Icon name="check" />
      Connected{c.lastSeen === null ? "" : `, last event ${ago(c.lastSeen, now)}`}
    </span>
  );
}

/** What was left as it is, and who wrote our entry. */
function notes(c: Connection): string {
  const own = c.connected && !c.byTailrace && !c.self ? "by its own wrangler.toml" : "";
  const others = c.others.length > 0 ? `also tailed by ${listed(c.others)}` : "";
  return [own, others].filter((n) => n !== "").join(" · ");
}

function Row({ c, now, can }: { c: Connection; now: number; can: boolean }) {
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const run = async (connect: boolean) => {
    setBusy(true);
    setSure(false);
    await act(connect ? `Connected: ${c.script}` : `Disconnected: ${c.script}`, () =>
      connect ? integrationsApi.connect(c.script) : integrationsApi.disconnect(c.script),
    );
    setBusy(false);
  };
  const note = notes(c);
  return (
    <li class="conn">
      <span class="conn-name cut">
        {c.lastSeen === null ? (
          c.script
        ) : (
          <a class="link" href={`/workers/${encodeURIComponent(c.script)}`}>
            {c.script}
          </a>
        )}
      </span>
      <span class="conn-state">
        <State c={c} now={now} />
        {note !== "" && <span class="small faint">{note}</span>}
        {sure && (
          <span class="small warn" role="status">
            Its own wrangler.toml says so: the next deploy connects it again unless the line is taken out there.
          </span>
        )}
      </span>
      <span class="conn-act">
        {!c.self &&
          (c.connected ? (
            <button
              type="button"
              class="btn quiet"
              disabled={busy || !can}
              aria-label={`Disconnect ${c.script}`}
              onClick={() => (c.byTailrace || sure ? void run(false) : setSure(true))}
            >
              {busy ? "Disconnecting…" : sure ? "Disconnect all the same" : "Disconnect"}
            </button>
          ) : (
            <button
              type="button"
              class="btn"
              disabled={busy || !can}
              aria-label={`Connect ${c.script}`}
              onClick={() => void run(true)}
            >
              {busy ? "Connecting…" : "Connect"}
            </button>
          ))}
      </span>
    </li>
  );
}

function NoAccount() {
  return (
    <div class="conn-none">
      <p>
        <b>No Cloudflare account is connected.</b> With an API token that may edit Workers, Tailrace lists them here and
        connects each with a click: it adds itself to the Worker's tail consumers, and leaves its code and everything
        else as it is.
      </p>
      <a class="btn primary" href="/settings/cloudflare">
        Connect the account
      </a>
    </div>
  );
}

function Listed({ answer, now }: { answer: ConnectionsAnswer; now: number }) {
  const [search, setSearch] = useState("");
  const { connections, account } = answer;
  const shown = connections.filter((c) => c.script.includes(search.trim().toLowerCase()));
  const workers = connections.filter((c) => !c.self);
  const connected = workers.filter((c) => c.connected).length;
  const can = account.connected && mayChange();
  return (
    <section aria-labelledby="conn-title">
      <div class="section-head">
        <h2 id="conn-title">Workers</h2>
        <span class="muted">
          {account.connected
            ? `${count(connected)} of ${count(workers.length)} connected`
            : `${count(workers.length)} seen so far`}
        </span>
        <span class="grow" />
        {connections.length >= SEARCH_FROM && (
          <input
            class="input conn-search"
            type="search"
            aria-label="Search Workers"
            placeholder="Search"
            value={search}
            onInput={(e) => setSearch(e.currentTarget.value)}
          />
        )}
        <button type="button" class="btn" onClick={integrationsChanged}>
          <Icon name="regressed" />
          Look again
        </button>
      </div>
      {!mayChange() && <p class="small warn">To connect and disconnect takes a token of scope admin.</p>}
      {shown.length > 0 ? (
        <ul class="conns">
          {shown.map((c) => (
            <Row key={c.script} c={c} now={now} can={can} />
          ))}
        </ul>
      ) : (
        <p class="muted">{connections.length === 0 ? "There is no Worker yet." : "No Worker of that name."}</p>
      )}
    </section>
  );
}

export default function Connections() {
  const [often, setOften] = useState(false);
  const { data, error, loading, reload } = useConnections(often);
  const waits = data?.connections.some((c) => connectionState(c) === "waiting") ?? false;
  useEffect(() => setOften(waits), [waits]);
  useEffect(() => {
    document.title = "Workers to connect · Tailrace";
  }, []);
  useShortcuts({ Escape: () => navigate("/integrations") });
  if (data === undefined)
    return error === undefined ? <Progress show={loading} /> : <ErrorState failure={error} retry={reload} />;
  return (
    <div class="page connections">
      <nav class="crumbs small" aria-label="Where this is">
        <a href="/integrations">Integrations</a>
        <span aria-hidden="true">/</span>
        <span aria-current="page">Workers</span>
      </nav>
      <div class="setup-head">
        <a class="icon-btn" href="/integrations" aria-label="Back to Integrations">
          <Icon name="back" />
        </a>
        <div>
          <h1>Workers to connect</h1>
          <p class="muted">What a connected Worker does arrives here within a second. Its code stays as it is.</p>
        </div>
      </div>
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      <div class="conn-columns">
        <div>
          {!data.account.connected && <NoAccount />}
          <Listed answer={data} now={Date.now()} />
        </div>
        <aside class="conn-toml" aria-labelledby="toml-title">
          <h2 id="toml-title">Make it last</h2>
          <p class="muted">
            A deploy sends the Worker's own configuration again, and takes out what is not in it. With this in its{" "}
            <code>wrangler.toml</code> it stays connected:
          </p>
          <CodeBlock code={data.toml} />
          <p class="muted">
            From a terminal: <code>npx tailrace connect &lt;worker&gt;</code>
          </p>
        </aside>
      </div>
    </div>
  );
}
