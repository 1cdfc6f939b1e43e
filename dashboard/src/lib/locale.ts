/**
 * Under a POSIX locale Chromium calls its language `en-US@posix`, which Intl
 * refuses. uPlot formats with it while it loads, so charts would be missing.
 */
export function ensureLocale(): void {
  try {
    new Intl.NumberFormat(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: "en", configurable: true });
  }
}
