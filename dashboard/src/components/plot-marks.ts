/** Dashed lines in a chart where something began, and levels across it, drawn on uPlot's canvas with their names. */
import uPlot from "uplot";
import type { PlotLevel, PlotMark } from "../lib/plot-input.ts";

const MARK_FONT_PX = 10;
const MARK_LINE_PX = 12;
const MARK_ROWS = 2;

export function drawMarks(u: uPlot, marks: PlotMark[], colour: (name: string) => string): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  /** Where the rows of names are free from: a name that would lie on another goes beneath it. */
  const free = new Array<number>(MARK_ROWS).fill(Number.NEGATIVE_INFINITY);
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
    const right = x + 4 * ratio;
    const left = right + width <= bbox.left + bbox.width ? right : x - 4 * ratio - width;
    const row = free.findIndex((from) => left >= from);
    // More of them in one place are left to the table.
    if (row < 0) continue;
    ctx.fillStyle = colour("--muted");
    ctx.fillText(mark.label, left, bbox.top + row * MARK_LINE_PX * ratio);
    free[row] = left + width + 4 * ratio;
  }
  ctx.restore();
}

export function drawLevels(u: uPlot, levels: PlotLevel[], colour: (name: string) => string): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `${MARK_FONT_PX * ratio}px ${getComputedStyle(u.root).fontFamily}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  for (const level of levels) {
    const y = Math.round(u.valToPos(level.value, "y", true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = colour(level.colour);
    ctx.lineWidth = ratio;
    ctx.setLineDash(level.dashed ? [4 * ratio, 3 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = colour("--muted");
    ctx.fillText(level.label, bbox.left + bbox.width, y - 2 * ratio);
  }
  ctx.restore();
}
