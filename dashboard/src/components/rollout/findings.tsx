/** What preflight found: what would break, what to read first, what is good to know. Worst first, in plain words. */
import type { PreflightFinding } from "../../../../workers/api/contract.ts";
import { Icon, type IconName } from "../icons.tsx";
import "../../styles/roll-mark.css";

const ORDER: Record<PreflightFinding["level"], number> = { refuse: 0, warn: 1, info: 2 };
const ICONS: Record<PreflightFinding["level"], IconName> = { refuse: "alert", warn: "alert", info: "help" };
const TONES: Record<PreflightFinding["level"], string> = { refuse: "bad", warn: "warn", info: "muted" };
const WORDS: Record<PreflightFinding["level"], string> = {
  refuse: "Refused",
  warn: "Read this first",
  info: "Good to know",
};

export function Findings({ findings }: { findings: readonly PreflightFinding[] }) {
  return (
    <ul class="preflight">
      {[...findings]
        .sort((a, b) => ORDER[a.level] - ORDER[b.level])
        .map((f) => (
          <li key={`${f.code} ${f.message}`}>
            <span class={`roll-mark ${TONES[f.level]}`}>
              <Icon name={ICONS[f.level]} />
              {WORDS[f.level]}
            </span>
            <span>{f.message}</span>
          </li>
        ))}
    </ul>
  );
}
