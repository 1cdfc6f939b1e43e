/**
 * uPlot behind a small interface: bars (stacked) and lines over a time axis,
 * with a crosshair shared by key, a tooltip, and drag to zoom. Times are ms.
 * Loaded on demand by components/chart.tsx.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, day } from "../lib/format.ts";
import type { PlotInput, PlotSeries } from "../lib/plot-input.ts";
import { drawLevels, drawMarks } from "./plot-marks.ts";
import { PlotTooltip } from "./plot-tooltip.ts";

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
const RIGHT_PX = 16;
/** Of 11 px digits, a little more than they take. */
const LABEL_CHAR_PX = 6.5;
const TICK_SPACE_PX = 84;
/** Steps of the time axis. uPlot's own leap from one minute to five: in between, a short chart would have no time at all. */
const TIME_STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((s) => s * 1000),
  ...[1, 2, 5, 10, 15, 30].map((m) => m * 60_000),
  ...[1, 2, 3, 4, 6, 8, 12].map((h) => h * 3_600_000),
  ...[1, 2, 3, 5, 7, 14, 30, 90, 365].map((d) => d * 86_400_000),
];
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
    if (s.kind !== "bars") return s.values;
    const below = foot;
    foot = s.values.map((v, i) => (v ?? 0) + (below?.[i] ?? 0));
    return foot.map((v) => (v > 0 ? v : null));
  });
}

/** The tallest stack is drawn first, so that the ones below it lie on top. */
const drawOrder = (input: PlotInput) => input.series.map((_, i) => i).reverse();

/** Under the lines that it belongs to. */
const BAND_ALPHA = 0.18;
const translucent = (rgb: string): string =>
  rgb.replace(/^rgb\((.*)\)$/, (_, parts: string) =>
    parts.includes(",") ? `rgba(${parts}, ${BAND_ALPHA})` : `rgb(${parts} / ${BAND_ALPHA})`,
  );

/** Whether a centred label ends before the chart does: one that is cut says something else. */
function fits(u: uPlot, t: number, label: string): boolean {
  const { min = 0, max = 1 } = u.scales.x ?? {};
  const share = (t - (min ?? 0)) / ((max ?? 1) - (min ?? 0));
  const room = (1 - share) * (u.width - AXIS_WIDTH_PX - RIGHT_PX) + RIGHT_PX;
  return room >= (label.length * LABEL_CHAR_PX) / 2;
}

function timeLabels(spanOf: () => number): uPlot.Axis.DynamicValues {
  return (u, splits, _axis, _space, step) => {
    const spanMs = spanOf();
    let shown = "";
    return splits.map((t) => {
      const date = day(t).slice(5);
      if (step >= DAY_MS) return date;
      const hms = clock(t);
      const text = step < 60_000 ? hms : hms.slice(0, 5);
      const newDay = spanMs > DAY_MS / 2 && date !== shown;
      const label = newDay && (shown !== "" || spanMs > DAY_MS) ? `${date} ${text}` : text;
      shown = date;
      return fits(u, t, label) ? label : "";
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

/** The first and the last bucket are shown whole. */
function wholeBuckets({ x, bucketMs, from, to }: PlotInput): [number, number] {
  return [Math.min(from, x[0] ?? from), Math.max(to, (x.at(-1) ?? to) + bucketMs)];
}

export function createPlot(host: HTMLElement, first: PlotInput, options: PlotOptions): Plot {
  let input = first;
  let plot: uPlot | undefined;
  let shape = "";
  const colour = colourReader(host);
  const tooltip = new PlotTooltip();

  const dataOf = (): uPlot.AlignedData => {
    const columns = stacked(input.series);
    // A value stands in the middle of its bucket: the nearest one is then that under the pointer.
    const middles = input.x.map((start) => start + input.bucketMs / 2);
    return [middles, ...drawOrder(input).map((i) => columns[i] as (number | null)[])];
  };

  const build = () => {
    plot?.destroy();
    const made = new uPlot(optionsOf(), dataOf(), host);
    tooltip.attach(made);
    plot = made;
  };

  /** uPlot's own number of a series: the first is time, and the order is the other way round. */
  const indexOf = (i: number) => input.series.length - i;

  const optionsOf = (): uPlot.Options => {
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--faint"), font: `11px ${getComputedStyle(host).fontFamily}` };
    return {
      width: Math.max(120, host.clientWidth),
      height: options.height,
      ms: 1,
      padding: [8, RIGHT_PX, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: true, range: () => wholeBuckets(input) },
        y: {
          range: (_u, _min, max) => input.yRange ?? [0, Math.max(input.minTop ?? 0, (max ?? 0) * 1.08) || 1],
        },
      },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT_PX,
          space: TICK_SPACE_PX,
          incrs: TIME_STEPS_MS,
          gap: 6,
          grid: { show: false },
          ticks: { ...grid, size: 4 },
          values: timeLabels(() => input.to - input.from),
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
      bands: (input.bands ?? []).map(({ high, low, colour: name }) => ({
        series: [indexOf(high), indexOf(low)],
        fill: translucent(colour(name)),
      })),
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
                paths: uPlot.paths.bars?.({ size: [BAR_SHARE, MAX_BAR_PX], align: 0, gap: 0 }),
              }
            : {
                label: s.label,
                stroke,
                width: s.kind === "edge" ? 0 : 1.5,
                spanGaps: false,
                points: { show: s.kind === "line", size: 4, width: 0, fill: stroke, filter: lonelyPoints },
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
        draw: [
          (u) => {
            drawLevels(u, input.levels ?? [], colour);
            drawMarks(u, input.marks ?? [], colour);
          },
        ],
        setCursor: [(u) => tooltip.move(u, input)],
      },
    };
  };

  const shapeOf = () =>
    JSON.stringify([input.series.map((s) => [s.label, s.kind, colour(s.colour)]), input.bands ?? [], colour("--line")]);

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
