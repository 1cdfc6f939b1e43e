/** Light, dark, or the system's; public/theme.js applies the choice before the first paint. */
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const STORE_KEY = "tailrace.theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

const chosen = document.documentElement.dataset.theme;
export const theme = signal<Theme>(chosen === "light" || chosen === "dark" ? chosen : "system");

/** Moves whenever colours may have changed: canvases redraw on it. */
export const themeVersion = signal(0);
dark.addEventListener("change", () => themeVersion.value++);

let first = true;
effect(() => {
  const value = theme.value;
  if (first) {
    first = false;
    return;
  }
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  try {
    if (value === "system") localStorage.removeItem(STORE_KEY);
    else localStorage.setItem(STORE_KEY, value);
  } catch {
    // The choice then lasts as long as the page.
  }
  themeVersion.value = themeVersion.peek() + 1;
});

const isDark = () => theme.value === "dark" || (theme.value === "system" && dark.matches);

export function toggleTheme(): void {
  theme.value = isDark() ? "light" : "dark";
}
