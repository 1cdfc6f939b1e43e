/** How many of the account's Workers are observed, and the way to connect more. */
import type { ConnectionsAnswer } from "../../../../workers/api/contract.ts";
import { Icon } from "../icons.tsx";

export function ConnectCard({ answer }: { answer: ConnectionsAnswer | undefined }) {
  const workers = answer?.connections.filter((c) => !c.self) ?? [];
  const connected = workers.filter((c) => c.connected).length;
  const waiting = workers.filter((c) => c.connected && !c.verified).length;
  const noAccount = answer !== undefined && !answer.account.connected;
  return (
    <a class="connect-card" href="/integrations/workers">
      <Icon name="plug" />
      <span class="grow">
        <b>{noAccount ? "Connect your Workers with a click" : "Workers"}</b>{" "}
        <span class="muted">
          {answer === undefined
            ? " "
            : noAccount
              ? "It takes a Cloudflare API token, once."
              : `${connected} of ${workers.length} connected${waiting > 0 ? `, ${waiting} of them without an event so far` : ""}`}
        </span>
      </span>
      <span class="link">{noAccount ? "How" : "Connect or disconnect"}</span>
      <Icon name="arrow" />
    </a>
  );
}
