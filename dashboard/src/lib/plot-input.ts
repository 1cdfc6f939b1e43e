/** What a chart draws. Made by lib/series.ts and lib/result-series.ts, drawn by components/plot.ts. Times are ms. */
export interface PlotSeries {
  label: string;
  /** CSS variable, e.g. `--v3`. */
  colour: string;
  /** null: nothing there; a line breaks. */
  values: (number | null)[];
  kind: "bars" | "line";
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
  /** The y axis reaches at least this far. */
  minTop?: number;
}
