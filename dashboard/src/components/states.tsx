/** Loading, empty and error states. Each says what to do next. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiFailure } from "../api/client.ts";
import { Icon } from "./icons.tsx";

/** A bar under the header that shows only when something takes longer than 200 ms. */
export function Progress({ show, share }: { show: boolean; share?: number }) {
  if (!show) return null;
  const known = share !== undefined;
  return (
    <div
      class={`progress ${known ? "known" : ""}`}
      role="progressbar"
      aria-label="Loading"
      aria-valuenow={known ? Math.round(share * 100) : undefined}
      style={{ "--share": known ? `${share * 100}%` : "40%" }}
    />
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [done, setDone] = useState<"" | "Copied" | "Not allowed">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      setDone("Copied");
    } catch {
      setDone("Not allowed");
    }
    setTimeout(() => setDone(""), 1500);
  };
  return (
    <button type="button" class="btn quiet" onClick={copy}>
      <Icon name={done === "Copied" ? "check" : "copy"} />
      <span aria-live="polite">{done || label}</span>
    </button>
  );
}

export function Snippet({ code }: { code: string }) {
  return (
    <div class="snippet">
      <code>{code}</code>
      <CopyButton text={code} />
    </div>
  );
}

export function ErrorState({ failure, retry }: { failure: ApiFailure; retry: () => void }) {
  return (
    <div class="state" role="alert">
      <h2>
        {failure.status === 0
          ? "Tailrace cannot be reached"
          : failure.status === 403
            ? "This token may not see this"
            : "This could not be loaded"}
      </h2>
      <p class="muted">{failure.message}</p>
      <button type="button" class="btn" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

/** Where a part of a page could not be read; the rest of it stands. */
export function RetryNotice({ failure, retry }: { failure: ApiFailure; retry: () => void }) {
  return (
    <p class="notice" role="alert">
      <span class="grow">{failure.message}</span>
      <button type="button" class="link" onClick={retry}>
        Try again
      </button>
    </p>
  );
}

/** Above content that is still there: the refresh failed, the figures are the last ones. */
export function StaleNotice({ failure, retry }: { failure: ApiFailure; retry: () => void }) {
  return (
    <div class="notice" role="alert">
      <Icon name="alert" />
      <span class="grow">{failure.message} What is shown is the last answer.</span>
      <button type="button" class="link" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

export const TAIL_LINE = 'tail_consumers = [{ service = "tailrace" }]';

export function NoData({ children }: { children?: ComponentChildren }) {
  return (
    <div class="state">
      <h2>Nothing has arrived in this time range</h2>
      <p class="muted">
        Nobody asked, or nobody is observed yet. To observe a Worker, add this line to its <code>wrangler.toml</code>{" "}
        and deploy it. Its code stays as it is.
      </p>
      <Snippet code={TAIL_LINE} />
      <p class="muted">
        Or{" "}
        <a class="link" href="/integrations/workers">
          connect it with a click
        </a>
        . The first events show up here within a second of the Worker's next request.
      </p>
      {children}
    </div>
  );
}
