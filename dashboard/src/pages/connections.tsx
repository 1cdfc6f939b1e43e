/** /integrations/workers: the account's Workers, which of them Tailrace hears, and connecting one with a click. */
import { useEffect, useState } from "preact/hooks";
import type { Connection, ConnectionsAnswer } from "../../../workers/api/contract.ts";
import { integrationsApi } from "../api/integrations.ts";
import { Icon } from "../components/icons.tsx";
import { CodeBlock } from "../components/integrations/markdown.tsx";
import { ErrorState, Progress, RetryNotice, StaleNotice } from "../components/states.tsx";
import { ago, count, full } from "../lib/format.ts";
import { connectionState, listed } from "../lib/integrations.ts";
import { useEvery } from "../state/every.ts";
import { act, integrationsChanged, mayChange, useConnections } from "../state/integrations.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { toast } from "../state/toasts.ts";
import "../styles/integrations.css";
import "../styles/connections.css";

/** From here on one searches rather than looks. */
const SEARCH_FROM = 9;
/** The first event comes within a second of the Worker's next request. */
const WAITING_EVERY_MS = 2000;
const EXPECTED_MS = 10 * 60_000;

function State({ c, now }: { c: Connection; now: number }) {
  const state = connectionState(c);
  if (state === "self") return <span class="muted">This is Tailrace: it never listens to itself</span>;
  if (state === "off")
    return c.byTailrace ? (
      <span class="row warn">
        <Icon name="alert" />
        Disconnected by a deploy: the line is not in its wrangler.toml
      </span>
    ) : (
      <span class="faint">Not connected</span>
    );
  if (state === "waiting")
    return (
      <span class="row warn">
        <Icon name="clock" />
        {isExpected(c) ? "Connected, waiting for the first event" : "Connected, no event so far"}
      </span>
    );
  return (
    <span class="row good" title={c.lastSeen === null ? undefined : full(c.lastSeen)}>
      <Icon name="check" />
      Connected{c.lastSeen === null ? "" : `, last event ${ago(c.lastSeen, now)}`}
    </span>
  );
}

const isExpected = (c: Connection): boolean =>
  connectionState(c) === "waiting" && c.connectedAt !== null && Date.now() - c.connectedAt < EXPECTED_MS;

/** What was left as it is, and who wrote our entry. */
function notes(c: Connection): string {
  const own = c.connected && !c.byTailrace && !c.self ? "by its own wrangler.toml" : "";
  const others = c.others.length > 0 ? `also tailed by ${listed(c.others)}` : "";
  return [own, others].filter((n) => n !== "").join(" · ");
}

/** The line of this Worker: with other tail consumers it is a longer one. */
function Line({ script }: { script: string }) {
  const { data, error, reload } = useResource(script, (s) => integrationsApi.connection(script, s));
  if (error !== undefined)
    return (
      <div class="conn-line">
        <RetryNotice failure={error} retry={reload} />
      </div>
    );
  return (
    <div class="conn-line">
      <p class="small muted">
        In its <code>wrangler.toml</code>, so that its next deploy does not disconnect it:
      </p>
      <CodeBlock code={data?.toml ?? " "} />
    </div>
  );
}

/** One that was connected just now is asked for again and again until its first event is here; a quiet one is not. */
function useNow(c: Connection): Connection {
  const waits = isExpected(c);
  const tick = useEvery(WAITING_EVERY_MS, waits);
  const { data } = useResource(
    `${c.script} ${waits}`,
    (s) => (waits ? integrationsApi.connection(c.script, s) : Promise.resolve(undefined)),
    tick,
  );
  return waits ? (data?.connection ?? c) : c;
}

function Row({ listed: given, now, can }: { listed: Connection; now: number; can: boolean }) {
  const c = useNow(given);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const [line, setLine] = useState(false);
  const run = async (connect: boolean) => {
    setBusy(true);
    setSure(false);
    const done = await act(connect ? `Connected: ${c.script}` : `Disconnected: ${c.script}`, async () => {
      const { notice } = connect
        ? await integrationsApi.connect(c.script)
        : await integrationsApi.disconnect(c.script, !c.byTailrace);
      if (notice !== undefined) toast({ text: notice });
    });
    setBusy(false);
    if (done) setLine(connect);
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
        {c.connected && c.byTailrace && (
          <button type="button" class="btn quiet" aria-expanded={line} onClick={() => setLine(!line)}>
            wrangler.toml
          </button>
        )}
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
      {line && c.connected && <Line script={c.script} />}
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
            <Row key={c.script} listed={c} now={now} can={can} />
          ))}
        </ul>
      ) : (
        <p class="muted">{connections.length === 0 ? "There is no Worker yet." : "No Worker of that name."}</p>
      )}
    </section>
  );
}

export default function Connections() {
  const { data, error, loading, reload } = useConnections();
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
