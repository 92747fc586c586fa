/** What a plot draws beside its lines: stars, places without a number, the best epoch. */
import type uPlot from 'uplot';

const inside = (u: uPlot, x: number) => {
  const { min, max } = u.scales.x ?? {};
  return min != null && max != null && x >= min && x <= max;
};

function apart(u: uPlot, draw: (context: CanvasRenderingContext2D) => void): void {
  const { ctx } = u;
  ctx.save();
  ctx.setLineDash([]); // what the last line left
  draw(ctx);
  ctx.restore();
}

/** A thin line over the whole height. */
export function drawMarker(u: uPlot, x: number | null, colour: string): void {
  if (x === null || !inside(u, x)) return;
  const left = Math.round(u.valToPos(x, 'x', true)) + 0.5;
  apart(u, (context) => {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(left, u.bbox.top);
    context.lineTo(left, u.bbox.top + u.bbox.height);
    context.stroke();
  });
}

/** Small crosses on the bottom line, where there was no number to draw. */
export function drawMarks(u: uPlot, places: number[], colour: string): void {
  const ratio = devicePixelRatio;
  const size = 3 * ratio;
  const y = u.bbox.top + u.bbox.height - 2 * size;
  apart(u, (context) => {
    context.strokeStyle = colour;
    context.lineWidth = 1.5 * ratio;
    context.beginPath();
    for (const place of places) {
      if (!inside(u, place)) continue;
      const x = u.valToPos(place, 'x', true);
      context.moveTo(x - size, y - size);
      context.lineTo(x + size, y + size);
      context.moveTo(x + size, y - size);
      context.lineTo(x - size, y + size);
    }
    context.stroke();
  });
}

export function drawStars(u: uPlot, stars: { x: number; y: number; colour: string }[], behind: string): void {
  const ratio = devicePixelRatio;
  apart(u, (context) => {
    context.lineWidth = 3 * ratio;
    context.strokeStyle = behind;
    context.lineJoin = 'round';
    for (const { x, y, colour } of stars) {
      if (!inside(u, x)) continue;
      const path = star(u.valToPos(x, 'x', true), u.valToPos(y, 'y', true), 7 * ratio);
      context.stroke(path);
      context.fillStyle = colour;
      context.fill(path);
    }
  });
}

function star(x: number, y: number, size: number): Path2D {
  const path = new Path2D();
  for (let corner = 0; corner < 10; corner++) {
    const angle = (Math.PI * corner) / 5 - Math.PI / 2;
    const reach = corner % 2 === 0 ? size : size * 0.45;
    path.lineTo(x + Math.cos(angle) * reach, y + Math.sin(angle) * reach);
  }
  path.closePath();
  return path;
}
