// How densely points lie, as a picture: for more points than can be told apart.
import type { PlacedMap } from './plane';
import type { Grid, Rectangle } from './scene';

export const MANY = 100_000; // points in view from which on their density is drawn in their place
export const WHOLE: Rectangle = { x0: -1, y0: -1, x1: 1, y1: 1 };
const FAINTEST = 0.12;

/** The points in a rectangle of the map: the mean colour of each cell, fainter where fewer lie (by the logarithm). */
export function density(map: PlacedMap, rgba: Uint8Array, within: Rectangle, columns: number, rows: number): Grid {
  const { x0, y0, x1, y1 } = within;
  const counts = new Float32Array(columns * rows);
  const sums = new Float32Array(3 * columns * rows);
  const { places, order } = map;
  for (const [from, to] of map.ranges(within)) {
    for (let at = from; at < to; at++) {
      const image = order[at];
      const weight = rgba[4 * image + 3] / 255;
      if (!weight) continue;
      const column = Math.floor(((places[2 * image] - x0) / (x1 - x0)) * columns);
      const row = Math.floor(((y1 - places[2 * image + 1]) / (y1 - y0)) * rows);
      if (column < 0 || row < 0 || column > columns || row > rows) continue;
      const cell = Math.min(rows - 1, row) * columns + Math.min(columns - 1, column);
      counts[cell] += weight;
      for (let band = 0; band < 3; band++) sums[3 * cell + band] += weight * rgba[4 * image + band];
    }
  }
  const most = Math.log1p(counts.reduce((a, b) => Math.max(a, b), 0)) || 1;
  const pixels = new ImageData(columns, rows);
  for (let cell = 0; cell < counts.length; cell++) {
    if (!counts[cell]) continue;
    for (let band = 0; band < 3; band++) pixels.data[4 * cell + band] = sums[3 * cell + band] / counts[cell];
    pixels.data[4 * cell + 3] = 255 * (FAINTEST + (1 - FAINTEST) * (Math.log1p(counts[cell]) / most));
  }
  const picture = document.createElement('canvas');
  [picture.width, picture.height] = [columns, rows];
  (picture.getContext('2d') as CanvasRenderingContext2D).putImageData(pixels, 0, 0);
  return { ...within, picture };
}
