/**
 * uPlot behind a small interface: bars (stacked) and lines over a time axis,
 * with a crosshair shared by key, a tooltip, and drag to zoom. Times are ms.
 * Loaded on demand by components/chart.tsx.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, day } from "../lib/format.ts";
import type { PlotInput, PlotMark, PlotSeries } from "../lib/plot-input.ts";

export interface PlotOptions {
  height: number;
  syncKey?: string;
  onZoom: (from: number, to: number) => void;
}

export interface Plot {
  update: (input: PlotInput) => void;
  destroy: () => void;
}

const AXIS_WIDTH_PX = 56;
const AXIS_HEIGHT_PX = 24;
const TICK_SPACE_PX = 84;
const MIN_DRAG_PX = 5;
const BAR_SHARE = 0.82;
const MAX_BAR_PX = 48;
const DAY_MS = 86_400_000;
const NARROW_PX = 420;

/** Resolves CSS variables to colours that a canvas takes. */
function colourReader(host: HTMLElement): (name: string) => string {
  const probe = document.createElement("i");
  host.append(probe);
  return (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
}

/** Bars stand on those before them; lines stay as they are. */
function stacked(series: PlotSeries[]): (number | null)[][] {
  let foot: number[] | undefined;
  return series.map((s) => {
    if (s.kind === "line") return s.values;
    const below = foot;
    foot = s.values.map((v, i) => (v ?? 0) + (below?.[i] ?? 0));
    return foot.map((v) => (v > 0 ? v : null));
  });
}

/** The tallest stack is drawn first, so that the ones below it lie on top. */
const drawOrder = (input: PlotInput) => input.series.map((_, i) => i).reverse();

function timeLabels(spanMs: number): uPlot.Axis.DynamicValues {
  return (_u, splits, _axis, _space, step) => {
    let shown = "";
    return splits.map((t) => {
      const date = day(t).slice(5);
      if (step >= DAY_MS) return date;
      const hms = clock(t);
      const text = step < 60_000 ? hms : hms.slice(0, 5);
      const newDay = spanMs > DAY_MS / 2 && date !== shown;
      const label = newDay && (shown !== "" || spanMs > DAY_MS) ? `${date} ${text}` : text;
      shown = date;
      return label;
    });
  };
}

/** A point between two gaps has no line to be seen by. */
const lonelyPoints: uPlot.Series.Points.Filter = (u, seriesIndex) => {
  const data = u.data[seriesIndex] as (number | null | undefined)[];
  const alone: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (data[i] != null && data[i - 1] == null && data[i + 1] == null) alone.push(i);
  }
  return alone;
};

export function createPlot(host: HTMLElement, first: PlotInput, options: PlotOptions): Plot {
  let input = first;
  let plot: uPlot | undefined;
  let shape = "";
  const colour = colourReader(host);
  const tooltip = new Tooltip();

  const dataOf = (): uPlot.AlignedData => {
    const columns = stacked(input.series);
    return [input.x, ...drawOrder(input).map((i) => columns[i] as (number | null)[])];
  };

  const build = () => {
    plot?.destroy();
    const made = new uPlot(optionsOf(), dataOf(), host);
    tooltip.attach(made);
    plot = made;
  };

  const optionsOf = (): uPlot.Options => {
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--faint"), font: `11px ${getComputedStyle(host).fontFamily}` };
    return {
      width: Math.max(120, host.clientWidth),
      height: options.height,
      ms: 1,
      padding: [8, 16, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: true, range: () => [input.from, input.to] },
        y: { range: (_u, _min, max) => [0, Math.max(input.minTop ?? 0, (max ?? 0) * 1.08) || 1] },
      },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT_PX,
          space: TICK_SPACE_PX,
          gap: 6,
          grid: { show: false },
          ticks: { ...grid, size: 4 },
          values: timeLabels(input.to - input.from),
        },
        {
          ...axis,
          size: host.clientWidth < NARROW_PX ? AXIS_WIDTH_PX - 8 : AXIS_WIDTH_PX,
          space: 32,
          gap: 8,
          grid,
          ticks: { show: false },
          values: (_u, splits) => splits.map((v) => (input.formatTick ?? input.format)(v)),
        },
      ],
      cursor: {
        y: false,
        points: {
          show: (u, i) => (input.series[drawOrder(input)[i - 1] as number]?.kind === "line" ? point(u, i) : none()),
        },
        drag: { x: true, y: false, setScale: false },
        sync:
          options.syncKey === undefined ? undefined : { key: options.syncKey, setSeries: false, scales: ["x", null] },
        focus: { prox: -1 },
      },
      series: [
        {},
        ...drawOrder(input).map((i): uPlot.Series => {
          const s = input.series[i] as PlotSeries;
          const stroke = colour(s.colour);
          return s.kind === "bars"
            ? {
                label: s.label,
                fill: stroke,
                width: 0,
                points: { show: false },
                paths: uPlot.paths.bars?.({ size: [BAR_SHARE, MAX_BAR_PX], align: 1, gap: 0 }),
              }
            : {
                label: s.label,
                stroke,
                width: 1.5,
                spanGaps: false,
                points: { show: true, size: 4, width: 0, fill: stroke, filter: lonelyPoints },
              };
        }),
      ],
      hooks: {
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width < MIN_DRAG_PX || !tooltip.hovered) return;
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            options.onZoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
          },
        ],
        draw: [(u) => drawMarks(u, input.marks ?? [], colour)],
        setCursor: [(u) => tooltip.move(u, input)],
      },
    };
  };

  const shapeOf = () =>
    JSON.stringify([
      input.series.map((s) => [s.label, s.kind, colour(s.colour)]),
      colour("--line"),
      input.to - input.from,
    ]);

  shape = shapeOf();
  build();
  const observer = new ResizeObserver(() => {
    if (plot !== undefined && host.clientWidth > 0 && host.clientWidth !== plot.width)
      plot.setSize({ width: host.clientWidth, height: options.height });
  });
  observer.observe(host);

  return {
    update(next) {
      input = next;
      const wanted = shapeOf();
      if (wanted !== shape) {
        shape = wanted;
        build();
      } else plot?.setData(dataOf());
    },
    destroy() {
      observer.disconnect();
      plot?.destroy();
      host.replaceChildren();
    },
  };
}

const MARK_FONT_PX = 10;

function drawMarks(u: uPlot, marks: PlotMark[], colour: (name: string) => string): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  let free = Number.NEGATIVE_INFINITY;
  ctx.save();
  ctx.font = `${MARK_FONT_PX * ratio}px ${getComputedStyle(u.root).fontFamily}`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  for (const mark of [...marks].sort((a, b) => a.t - b.t)) {
    const x = Math.round(u.valToPos(mark.t, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(mark.colour);
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const width = ctx.measureText(mark.label).width;
    const left = Math.min(x + 4 * ratio, bbox.left + bbox.width - width);
    // Names that would lie on one another are left to the table.
    if (left < free) continue;
    ctx.fillStyle = colour("--muted");
    ctx.fillText(mark.label, left, bbox.top);
    free = left + width + 4 * ratio;
  }
  ctx.restore();
}

function point(u: uPlot, i: number): HTMLElement {
  const el = document.createElement("div");
  el.className = "plot-point";
  const stroke = u.series[i]?.stroke;
  el.style.background = typeof stroke === "function" ? String(stroke(u, i)) : String(stroke ?? "");
  return el;
}

function none(): HTMLElement {
  const el = document.createElement("div");
  el.hidden = true;
  return el;
}

/** Values at the crosshair, beside it, on the chart that the pointer is over. */
class Tooltip {
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
    // uPlot finds the nearest start; a bucket reaches from its start on.
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
