/** What a chart draws. Made by lib/series.ts and lib/result-series.ts, drawn by components/plot.ts. Times are ms. */
export interface PlotSeries {
  label: string;
  /** CSS variable, e.g. `--v3`. */
  colour: string;
  /** null: nothing there; a line breaks. */
  values: (number | null)[];
  /** edge: not drawn itself, it bounds a band and is named in the tooltip. */
  kind: "bars" | "line" | "edge";
}

/** The room between two series, by their index. */
export interface PlotBand {
  high: number;
  low: number;
  colour: string;
}

/** A level across the whole chart, named at its right end. */
export interface PlotLevel {
  value: number;
  label: string;
  colour: string;
  dashed?: boolean;
}

/** Something that began: a dashed line through the chart, named at its top. */
export interface PlotMark {
  t: number;
  label: string;
  colour: string;
}

export interface PlotInput {
  /** Starts of the buckets, empty ones included. */
  x: number[];
  bucketMs: number;
  from: number;
  to: number;
  /** Bars are stacked in this order, the first at the foot. */
  series: PlotSeries[];
  format: (value: number) => string;
  /** For the axis, where values are round; `format` when absent. */
  formatTick?: (value: number) => string;
  marks?: PlotMark[];
  bands?: PlotBand[];
  levels?: PlotLevel[];
  /** The y axis reaches at least this far. */
  minTop?: number;
  /** The y axis as it is, whatever the values are: [low, high]. */
  yRange?: [number, number];
}
