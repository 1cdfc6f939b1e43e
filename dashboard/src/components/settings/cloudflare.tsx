/** The Cloudflare account that rollouts act on: connect it, see that it works, take it away. The token goes in and never comes out. */
import { useState } from "preact/hooks";
import type { CloudflareAnswer } from "../../../../workers/api/contract.ts";
import type { ApiFailure } from "../../api/client.ts";
import { rolloutsApi } from "../../api/rollouts.ts";
import { ago, full } from "../../lib/format.ts";
import { useResource } from "../../state/resource.ts";
import { session } from "../../state/session.ts";
import { Icon } from "../icons.tsx";
import { ErrorState, Progress } from "../states.tsx";
import { Field, SaveRow, useSaving } from "./form.tsx";

/** An account that a rollout acts on is let go only by force. */
const isRunning = (failure: ApiFailure | undefined): boolean => failure?.code === "rollout_running";

const TOKENS_PAGE = "https://dash.cloudflare.com/profile/api-tokens";

function Permissions() {
  return (
    <div class="account-needs">
      <p>
        Make an API token of your own for it under{" "}
        <a class="link" href={TOKENS_PAGE} rel="noreferrer" target="_blank">
          My Profile, API Tokens
        </a>
        , with one permission, for this one account:
      </p>
      <p class="account-permission mono">Account · Workers Scripts · Edit</p>
      <p class="muted">
        With it Tailrace reads versions and deployments, and changes how traffic is split between versions. It uploads
        no code and reads no secret. The token is stored encrypted and is never shown again, not even here.
      </p>
    </div>
  );
}

function Connect({ onDone, accountId }: { onDone: (answer: CloudflareAnswer) => void; accountId: string | null }) {
  const [account, setAccount] = useState(accountId ?? "");
  const [token, setToken] = useState("");
  const saving = useSaving();
  // It was said what is at stake, and the same button pressed again.
  const force = isRunning(saving.failure);
  const submit = (event: Event) => {
    event.preventDefault();
    void saving.save(async () => {
      const answer = await rolloutsApi.connect({ accountId: account.trim(), token: token.trim() }, force);
      setToken("");
      onDone(answer);
    });
  };
  return (
    <form class="form" onSubmit={submit} autocomplete="off">
      <Permissions />
      <div class="form-row">
        <Field label="Account ID" hint="In the address of your Cloudflare dashboard, and under Workers & Pages.">
          <input
            class="input mono"
            required
            spellcheck={false}
            maxLength={64}
            value={account}
            onInput={(e) => setAccount(e.currentTarget.value)}
          />
        </Field>
        <Field label="API token" hint="Shown to nobody once it is saved.">
          <input
            class="input mono"
            type="password"
            required
            autocomplete="off"
            spellcheck={false}
            maxLength={400}
            value={token}
            onInput={(e) => setToken(e.currentTarget.value)}
          />
        </Field>
      </div>
      <SaveRow
        saving={{ ...saving, saved: false }}
        label={saving.busy ? "Asking Cloudflare…" : force ? "Connect all the same" : "Connect"}
      />
    </form>
  );
}

function Connected({
  answer,
  isAdmin,
  onChange,
}: {
  answer: CloudflareAnswer;
  isAdmin: boolean;
  onChange: (a?: CloudflareAnswer) => void;
}) {
  const [sure, setSure] = useState(false);
  const [replacing, setReplacing] = useState(false);
  const saving = useSaving();
  const now = Date.now();
  const force = isRunning(saving.failure);
  const disconnect = async () => {
    if (!sure) setSure(true);
    else if (await saving.save(() => rolloutsApi.disconnect(force))) onChange();
  };
  return (
    <>
      <dl class="account-facts">
        <dt class="faint">State</dt>
        <dd>
          {answer.problem !== null ? (
            <span class="row bad">
              <Icon name="alert" />
              {answer.problem}
            </span>
          ) : answer.verifiedAt !== null ? (
            <span class="row good" title={full(answer.verifiedAt)}>
              <Icon name="check" />
              Connected; Cloudflare accepted the token {ago(answer.verifiedAt, now)}
            </span>
          ) : (
            <span class="row warn">
              <Icon name="clock" />
              Saved; Cloudflare has not been asked yet
            </span>
          )}
        </dd>
        <dt class="faint">Account</dt>
        <dd class="mono">{answer.accountId}</dd>
        <dt class="faint">Token</dt>
        <dd class="mono">{answer.tokenHint === null ? "–" : `…${answer.tokenHint}`}</dd>
      </dl>
      {isAdmin && (
        <>
          <div class="row">
            <button type="button" class="btn" onClick={() => setReplacing(!replacing)} aria-expanded={replacing}>
              Replace the token
            </button>
            <button type="button" class="btn quiet danger" disabled={saving.busy} onClick={() => void disconnect()}>
              {!sure ? "Disconnect" : force ? "Disconnect all the same" : "Disconnect for good"}
            </button>
            <span role="status" class="small">
              {saving.failure !== undefined && <span class="bad">{saving.failure.message}</span>}
              {sure && saving.failure === undefined && (
                <span class="muted">
                  The token is deleted. Rollouts that run are neither promoted nor taken back until an account is
                  connected again.
                </span>
              )}
            </span>
          </div>
          {replacing && (
            <Connect
              accountId={answer.accountId}
              onDone={(a) => {
                setReplacing(false);
                onChange(a);
              }}
            />
          )}
        </>
      )}
    </>
  );
}

export function CloudflareAccount() {
  const { data, error, loading, reload } = useResource("cloudflare", (signal) => rolloutsApi.account(signal));
  const [changed, setChanged] = useState<CloudflareAnswer>();
  if (error !== undefined && data === undefined) return <ErrorState failure={error} retry={reload} />;
  const answer = changed ?? data;
  const isAdmin = session.value?.scope === "admin";
  const change = (a?: CloudflareAnswer) => {
    setChanged(a);
    reload();
  };
  return (
    <section class="account-card">
      <Progress show={loading && answer === undefined} />
      {answer !== undefined && (
        <>
          <h2>Cloudflare account</h2>
          {answer.accountId !== null ? (
            <Connected answer={answer} isAdmin={isAdmin} onChange={change} />
          ) : isAdmin ? (
            <>
              {answer.problem !== null && <p class="bad">{answer.problem}</p>}
              <p class="muted">
                Not connected. Tailrace needs it to start rollouts, to promote and to take back, and to notice splits
                that somebody else makes.
              </p>
              <Connect accountId={null} onDone={change} />
            </>
          ) : (
            <p class="muted">Not connected. Somebody with a token of scope admin connects it here.</p>
          )}
        </>
      )}
    </section>
  );
}
