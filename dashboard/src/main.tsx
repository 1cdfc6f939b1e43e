/** Entry of the dashboard: styles, then the app into its root. */
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/notify.css";
import "./styles/parts.css";
import { render } from "preact";
import { App } from "./app.tsx";

/** A chunk that is not there any more was replaced by a newer build: one reload fetches that. */
const RELOAD_KEY = "tailrace.reloaded";
const RELOAD_EVERY_MS = 30_000;
window.addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem(RELOAD_KEY) ?? 0);
  if (Date.now() - last < RELOAD_EVERY_MS) return;
  sessionStorage.setItem(RELOAD_KEY, String(Date.now()));
  window.location.reload();
});

const root = document.getElementById("app");
if (root === null) throw new Error("BUG: index.html has no #app");
render(<App />, root);
