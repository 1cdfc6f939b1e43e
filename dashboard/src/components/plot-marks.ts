/** Dashed lines in a chart where something began, and levels across it, drawn on uPlot's canvas with their names. */
import uPlot from "uplot";
import type { PlotLevel, PlotMark } from "../lib/plot-input.ts";

const MARK_FONT_PX = 10;

export function drawMarks(u: uPlot, marks: PlotMark[], colour: (name: string) => string): void {
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
    const right = x + 4 * ratio;
    const left = right + width <= bbox.left + bbox.width ? right : x - 4 * ratio - width;
    // Names that would lie on one another are left to the table.
    if (left < free) continue;
    ctx.fillStyle = colour("--muted");
    ctx.fillText(mark.label, left, bbox.top);
    free = left + width + 4 * ratio;
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
