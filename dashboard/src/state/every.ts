/** A counter that moves every so often while the page is seen, and when it comes into sight again. */
import { useEffect, useState } from "preact/hooks";

export function useEvery(ms: number, on = true): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!on) return;
    const bump = () => {
      if (!document.hidden) setTick((n) => n + 1);
    };
    const timer = setInterval(bump, ms);
    document.addEventListener("visibilitychange", bump);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", bump);
    };
  }, [ms, on]);
  return tick;
}
