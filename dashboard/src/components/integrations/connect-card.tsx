/** How many of the account's Workers are observed, and the way to connect more. */
import type { ConnectionsAnswer } from "../../../../workers/api/contract.ts";
import type { ApiFailure } from "../../api/client.ts";
import { Icon } from "../icons.tsx";

interface Props {
  answer: ConnectionsAnswer | undefined;
  failure: ApiFailure | undefined;
}

export function ConnectCard({ answer, failure }: Props) {
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
            ? (failure?.message ?? " ")
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
