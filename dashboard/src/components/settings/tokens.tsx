/** API tokens: list, create (the secret is shown once), revoke. */
import { useState } from "preact/hooks";
import type { Scope, TokenCreated, TokenInfo } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { ago, day } from "../../lib/format.ts";
import { useResource } from "../../state/resource.ts";
import { ErrorState, Progress, Snippet } from "../states.tsx";
import { Field, SaveRow, useSaving } from "./form.tsx";

const SCOPES: [Scope, string][] = [
  ["read", "see everything, change nothing"],
  ["ingest", "send events"],
  ["deploy", "announce versions and deployments"],
  ["admin", "all of it, and settings"],
];

function stateOf(t: TokenInfo, now: number): string {
  if (t.revokedAt !== null) return "revoked";
  if (t.expiresAt !== null && t.expiresAt < now) return "expired";
  return t.expiresAt === null ? "never expires" : `until ${day(t.expiresAt)}`;
}

function Row({ token, onRevoked }: { token: TokenInfo; onRevoked: () => void }) {
  const [sure, setSure] = useState(false);
  const saving = useSaving();
  const now = Date.now();
  const dead = token.revokedAt !== null || (token.expiresAt !== null && token.expiresAt < now);
  const revoke = async () => {
    if (!sure) setSure(true);
    else if (await saving.save(() => api.revokeToken(token.id))) onRevoked();
  };
  return (
    <tr class={dead ? "faint" : ""}>
      <td>{token.name}</td>
      <td>{token.scope}</td>
      <td class="muted">{stateOf(token, now)}</td>
      <td class="muted">{token.lastUsedAt === null ? "never used" : `used ${ago(token.lastUsedAt, now)}`}</td>
      <td class="muted">
        {day(token.createdAt)} by {token.createdBy}
      </td>
      <td class="num">
        {saving.failure !== undefined && <span class="bad small">{saving.failure.message} </span>}
        {!dead && (
          <button
            type="button"
            class="btn quiet danger"
            disabled={saving.busy}
            onClick={revoke}
            onBlur={() => setSure(false)}
          >
            {sure ? "Revoke for good" : "Revoke"}
          </button>
        )}
      </td>
    </tr>
  );
}

function Create({ onCreated }: { onCreated: (token: TokenCreated) => void }) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Scope>("read");
  const [days, setDays] = useState("90");
  const saving = useSaving();
  const submit = (event: Event) => {
    event.preventDefault();
    void saving.save(async () => {
      onCreated(
        await api.createToken({ name: name.trim(), scope, ...(days === "" ? {} : { expiresInDays: Number(days) }) }),
      );
      setName("");
    });
  };
  return (
    <form class="form-row" onSubmit={submit}>
      <Field label="Name">
        <input
          class="input"
          required
          maxLength={100}
          placeholder="laptop, CI, …"
          value={name}
          onInput={(e) => setName(e.currentTarget.value)}
        />
      </Field>
      <Field label="May">
        <select class="input" value={scope} onChange={(e) => setScope(e.currentTarget.value as Scope)}>
          {SCOPES.map(([s, what]) => (
            <option key={s} value={s}>
              {s}: {what}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Expires">
        <select class="input" value={days} onChange={(e) => setDays(e.currentTarget.value)}>
          <option value="30">in 30 days</option>
          <option value="90">in 90 days</option>
          <option value="365">in a year</option>
          <option value="">never</option>
        </select>
      </Field>
      <SaveRow saving={{ ...saving, saved: false }} label="Create token" />
    </form>
  );
}

export function Tokens() {
  const { data, error, loading, reload } = useResource("tokens", () => api.tokens());
  const [created, setCreated] = useState<TokenCreated>();
  if (error !== undefined && data === undefined) return <ErrorState failure={error} retry={reload} />;
  return (
    <section>
      <Progress show={loading && data === undefined} />
      <h2>New token</h2>
      <Create
        onCreated={(t) => {
          setCreated(t);
          reload();
        }}
      />
      {created !== undefined && (
        <div class="once" role="status">
          <p>
            <b>{created.name}</b> is ready. Copy it now: it is stored only as a hash and cannot be shown again.
          </p>
          <Snippet code={created.token} />
        </div>
      )}
      <div class="table-scroll">
        <table class="table tokens">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Scope</th>
              <th scope="col">State</th>
              <th scope="col">Use</th>
              <th scope="col">Created</th>
              <th scope="col" class="num">
                <span class="sr">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data?.tokens.map((t) => (
              <Row key={t.id} token={t} onRevoked={reload} />
            ))}
          </tbody>
        </table>
      </div>
      {data?.tokens.length === 0 && <p class="muted">No tokens yet besides the administrator's own.</p>}
    </section>
  );
}
