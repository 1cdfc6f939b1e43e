/**
 * A chart over time: title, legend, and a canvas whose height is reserved while
 * uPlot (a chunk of its own, components/plot.ts) loads. Charts that share a
 * `syncKey` share the crosshair; dragging zooms the page's time range.
 */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ensureLocale } from "../lib/locale.ts";
import type { PlotInput } from "../lib/plot-input.ts";
import { zoom } from "../state/location.ts";
import { themeVersion } from "../state/theme.ts";
import type { Plot } from "./plot.ts";
import "../styles/chart.css";

export interface ChartProps extends PlotInput {
  title: string;
  /** Beside the title: what the y axis counts. */
  unitLabel: string;
  height?: number;
  syncKey?: string;
  legend?: ComponentChildren;
  onZoom?: (from: number, to: number) => void;
}

const DEFAULT_HEIGHT_PX = 168;
/** Wide charts need height, or every slope is flat. */
const TALL_HEIGHT_PX = 224;
const WIDE = window.matchMedia("(min-width: 1800px)");

export function Chart(props: ChartProps) {
  const { title, unitLabel, height = WIDE.matches ? TALL_HEIGHT_PX : DEFAULT_HEIGHT_PX, legend } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const theme = themeVersion.value;

  useEffect(() => {
    let gone = false;
    ensureLocale();
    import("./plot.ts").then(({ createPlot }) => {
      if (gone || host.current === null) return;
      plot.current = createPlot(host.current, latest.current, {
        height,
        syncKey: latest.current.syncKey,
        onZoom: (from, to) => (latest.current.onZoom ?? zoom)(from, to),
      });
    });
    return () => {
      gone = true;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [height]);

  useEffect(
    () => plot.current?.update(latest.current),
    [props.x, props.series, props.marks, props.from, props.to, theme],
  );

  return (
    <figure class="chart" aria-label={`${title}, ${unitLabel}, over time`}>
      <figcaption class="chart-head">
        <h2>{title}</h2>
        <span class="small faint">{unitLabel}</span>
        <span class="grow" />
        {legend}
      </figcaption>
      <div class="chart-host" ref={host} style={{ height: `${height}px` }} />
    </figure>
  );
}

/** A swatch and a name, in the colour of a series. */
export function LegendItem({ colour, children }: { colour: string; children: ComponentChildren }) {
  return (
    <span class="legend small muted">
      <span class="swatch" style={{ "--dot": `var(${colour})` }} />
      {children}
    </span>
  );
}
