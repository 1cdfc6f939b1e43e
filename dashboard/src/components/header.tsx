/** The bar on top of every page: where one is, the time range, what happened, and who one is. */
import { useEffect, useRef } from "preact/hooks";
import { count } from "../lib/format.ts";
import { path, withRange } from "../state/location.ts";
import { openIssues } from "../state/open-issues.ts";
import { logOut, session } from "../state/session.ts";
import { toggleTheme } from "../state/theme.ts";
import { Bell } from "./bell.tsx";
import { openHelp } from "./help.tsx";
import { Icon } from "./icons.tsx";
import { Popover } from "./popover.tsx";
import { LiveSwitch, RangePicker } from "./range-picker.tsx";

const PAGES = [
  { href: "/", label: "Overview", owns: (p: string) => p === "/" || p.startsWith("/workers/") },
  { href: "/issues", label: "Issues", owns: (p: string) => p.startsWith("/issues") },
  { href: "/rollouts", label: "Rollouts", owns: (p: string) => p.startsWith("/rollouts") },
  { href: "/live", label: "Live", owns: (p: string) => p === "/live" },
  { href: "/explore", label: "Explore", owns: (p: string) => p === "/explore" || p.startsWith("/invocations/") },
  { href: "/integrations", label: "Integrations", owns: (p: string) => p.startsWith("/integrations") },
  { href: "/status", label: "Status", owns: (p: string) => p === "/status" },
  { href: "/settings", label: "Settings", owns: (p: string) => p.startsWith("/settings") },
];

/** Pages that answer for a time range. */
const hasRange = (p: string) => p === "/" || p === "/explore" || p.startsWith("/workers/") || p.startsWith("/issues");

/** How many there are: read out with the link's name, and no wider than three digits. */
function OpenCount() {
  const open = openIssues.value;
  if (open === undefined || open === 0) return null;
  return (
    <span class="nav-count" title={`${count(open)} open`}>
      {open > 999 ? "999+" : open}
      <span class="sr"> open</span>
    </span>
  );
}

export function Header() {
  const here = path.value;
  const nav = useRef<HTMLElement>(null);
  // On a phone the row of pages is longer than the screen.
  useEffect(
    () => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    [here, openIssues.value],
  );
  return (
    <header class="top">
      <a class="brand" href={withRange("/")} aria-label="Tailrace, overview">
        <Icon name="brand" />
        <span>Tailrace</span>
      </a>
      <nav aria-label="Pages" ref={nav}>
        {PAGES.map((p) => (
          <a key={p.href} href={withRange(p.href)} aria-current={p.owns(here) ? "page" : undefined}>
            {p.label}
            {p.href === "/issues" && <OpenCount />}
          </a>
        ))}
      </nav>
      {hasRange(here) && (
        <>
          <LiveSwitch />
          <RangePicker />
        </>
      )}
      <Bell />
      <button
        type="button"
        class="icon-btn hide-phone"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={openHelp}
      >
        <Icon name="help" />
      </button>
      <button
        type="button"
        class="icon-btn"
        aria-label="Switch between light and dark"
        title="Light or dark"
        onClick={toggleTheme}
      >
        <span class="only-light">
          <Icon name="moon" />
        </span>
        <span class="only-dark">
          <Icon name="sun" />
        </span>
      </button>
      <Popover label="Account" buttonClass="icon-btn" panelClass="menu" button={<Icon name="user" />}>
        {() => (
          <>
            <div class="account">
              <div class="cut">{session.value?.actor}</div>
              <div class="small faint">Scope: {session.value?.scope}</div>
            </div>
            <button type="button" class="menu-item" onClick={() => void logOut()}>
              Log out
            </button>
          </>
        )}
      </Popover>
    </header>
  );
}
