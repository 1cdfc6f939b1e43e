/** Log-in: a token in, a cookie out. Afterwards one is where one wanted to go. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiFailure } from "../api/client.ts";
import { Icon } from "../components/icons.tsx";
import { asFailure } from "../state/resource.ts";
import { logIn } from "../state/session.ts";
import "../styles/login.css";

function words(failure: ApiFailure): string {
  if (failure.status === 401) return "This token is not valid. It may be misspelled, expired or revoked.";
  if (failure.status === 429)
    return `Too many attempts from this address. Try again in ${failure.retryAfter ?? 60} seconds.`;
  return failure.message;
}

export default function LogIn() {
  const [token, setToken] = useState("");
  const [failure, setFailure] = useState<ApiFailure>();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = "Log in · Tailrace";
    input.current?.focus();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (token.trim() === "") {
      input.current?.focus();
      return;
    }
    setBusy(true);
    setFailure(undefined);
    try {
      await logIn(token);
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
      input.current?.select();
    }
  };

  return (
    <main class="login">
      <form onSubmit={submit} noValidate>
        <div class="login-brand">
          <Icon name="brand" />
          <h1>Tailrace</h1>
        </div>
        <label for="token">Token</label>
        <input
          id="token"
          ref={input}
          class="input mono"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          placeholder="trl_…"
          value={token}
          aria-invalid={failure !== undefined}
          aria-describedby="login-help"
          onInput={(e) => setToken(e.currentTarget.value)}
        />
        <div class="login-message" role="alert">
          {failure !== undefined && <span class="bad">{words(failure)}</span>}
        </div>
        <button type="submit" class="btn primary" disabled={busy}>
          {busy ? "Checking …" : "Log in"}
        </button>
        <p id="login-help" class="small faint">
          <code>npm start</code> prints a token when it is ready. In production, an admin creates one under Settings, or
          Cloudflare Access signs you in.
        </p>
      </form>
    </main>
  );
}
