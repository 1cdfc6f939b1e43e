/** The values at the crosshair, as text nodes beside it. One per chart; components/plot.ts moves it. */
import type uPlot from "uplot";
import { clock, day } from "../lib/format.ts";
import type { PlotInput, PlotSeries } from "../lib/plot-input.ts";

const DAY_MS = 86_400_000;

/** Values at the crosshair, beside it, on the chart that the pointer is over. */
export class PlotTooltip {
  hovered = false;
  private readonly el = document.createElement("div");

  attach(u: uPlot): void {
    this.el.className = "plot-tip";
    this.el.hidden = true;
    u.over.append(this.el);
    u.over.addEventListener("mouseenter", () => {
      this.hovered = true;
    });
    u.over.addEventListener("mouseleave", () => {
      this.hovered = false;
      this.el.hidden = true;
    });
  }

  move(u: uPlot, input: PlotInput): void {
    const left = u.cursor.left ?? -1;
    const t = left < 0 ? Number.NaN : u.posToVal(left, "x");
    const at = input.x.findIndex((start) => t >= start && t < start + input.bucketMs);
    if (!this.hovered || at < 0) {
      this.el.hidden = true;
      return;
    }
    const start = input.x[at] as number;
    const head = document.createElement("div");
    head.className = "plot-tip-head";
    head.textContent = bucketLabel(start, input.bucketMs);
    const rows = input.series
      .map((s) => ({ s, value: s.values[at] ?? null }))
      .filter(({ value }) => value !== null)
      .reverse()
      .map(({ s, value }) => row(s, input.format(value as number)));
    if (rows.length === 0) rows.push(emptyRow());
    this.el.replaceChildren(head, ...rows);
    this.el.hidden = false;
    const width = this.el.offsetWidth;
    const room = u.over.clientWidth;
    const x = left + 12 + width <= room ? left + 12 : Math.max(0, left - 12 - width);
    this.el.style.transform = `translate(${x}px, 4px)`;
  }
}

function bucketLabel(start: number, ms: number): string {
  if (ms >= DAY_MS) return day(start);
  const end = clock(start + ms);
  const cut = ms < 60_000 ? 8 : 5;
  return `${day(start).slice(5)} ${clock(start).slice(0, cut)} – ${end.slice(0, cut)}`;
}

function row(s: PlotSeries, text: string): HTMLElement {
  const el = document.createElement("div");
  el.className = "plot-tip-row";
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  swatch.style.setProperty("--dot", `var(${s.colour})`);
  const label = document.createElement("span");
  label.className = "cut";
  label.textContent = s.label;
  const value = document.createElement("b");
  value.textContent = text;
  el.append(swatch, label, value);
  return el;
}

function emptyRow(): HTMLElement {
  const el = document.createElement("div");
  el.className = "faint";
  el.textContent = "Nothing here";
  return el;
}
