/** Settings: tokens, what is kept of each Worker, redaction, how errors are grouped, the connected account, and who changed what. */
import { useEffect } from "preact/hooks";
import { Audit } from "../components/settings/audit.tsx";
import { CloudflareAccount } from "../components/settings/cloudflare.tsx";
import { Grouping } from "../components/settings/grouping.tsx";
import { Keeping } from "../components/settings/keeping.tsx";
import { Redaction } from "../components/settings/redaction.tsx";
import { Tokens } from "../components/settings/tokens.tsx";
import "../styles/settings.css";

const TABS = [
  { id: "tokens", label: "Tokens", view: Tokens },
  { id: "workers", label: "Retention and sampling", view: Keeping },
  { id: "redaction", label: "Redaction", view: Redaction },
  { id: "grouping", label: "Issues", view: Grouping },
  { id: "cloudflare", label: "Cloudflare account", view: CloudflareAccount },
  { id: "audit", label: "Audit", view: Audit },
];

export default function Settings({ tab }: { tab?: string }) {
  const current = TABS.find((t) => t.id === tab) ?? (TABS[0] as (typeof TABS)[number]);
  useEffect(() => {
    document.title = `${current.label} · Tailrace`;
  }, [current]);
  const View = current.view;
  return (
    <div class="page settings">
      <h1 class="sr">Settings</h1>
      <nav class="tabs" aria-label="Settings">
        {TABS.map((t) => (
          <a key={t.id} href={`/settings/${t.id}`} aria-current={t === current ? "page" : undefined}>
            {t.label}
          </a>
        ))}
      </nav>
      <View key={current.id} />
    </div>
  );
}
