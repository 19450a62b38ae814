// The outline of a selection: thinned, written into the address, and read back.
import type { PlacedMap } from './plane';
import type { Column } from './data';
import type { Path } from './scene';

/** What was selected: the outline, on which map, and what the legend of which column hid there. */
export interface Region { outline: Path; map: string; colour: string; hide: number[] }

const CORNERS = 48; // of an outline, at most
const FINE = 400; // steps along the longer side of an outline

/** The outline as whole steps between its corners: exponent of a step, then x and y of each corner less the last one's. */
export function packed(outline: Path): string {
  const spans = [0, 1].map((axis) => Math.max(...outline.map((one) => one[axis])) - Math.min(...outline.map((one) => one[axis])));
  const digits = Math.max(0, Math.min(9, Math.ceil(Math.log10(FINE / (Math.max(...spans) || 1)))));
  let last = [0, 0];
  const steps = thinned(outline).flatMap((corner) => {
    const now = corner.map((one) => Math.round(one * 10 ** digits));
    const step = now.map((one, axis) => one - last[axis]);
    last = now;
    return step;
  });
  return [digits, ...steps].map((one) => one.toString(36)).join('.');
}

/** Null: it is no outline. */
export function unpacked(text: string): Path | null {
  const [digits, ...steps] = text.split('.').map((one) => (/^-?[0-9a-z]{1,11}$/.test(one) ? parseInt(one, 36) : NaN));
  if (!(digits >= 0 && digits <= 9) || steps.length < 6 || steps.length % 2 || steps.length > 4 * CORNERS || steps.some(Number.isNaN)) return null;
  const at = [0, 0];
  return Array.from({ length: steps.length / 2 }, (_, corner) => {
    for (const axis of [0, 1]) at[axis] += steps[2 * corner + axis];
    return [at[0] / 10 ** digits, at[1] / 10 ** digits];
  });
}

/** The corners that say most, by the smallest triangles that one after another is left out with (Visvalingam and Whyatt, 1993). */
function thinned(outline: Path): Path {
  const kept = [...outline];
  const area = (at: number): number => {
    const [a, b, c] = [kept.at(at - 1), kept[at], kept[(at + 1) % kept.length]] as Path;
    return Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]));
  };
  while (kept.length > CORNERS) {
    let least = 0;
    for (let at = 1; at < kept.length; at++) if (area(at) < area(least)) least = at;
    kept.splice(least, 1);
  }
  return kept;
}

/** So many places along a line, equally far from each other. */
export function evenly(line: Path, count: number): Path {
  const far = [0];
  for (let at = 1; at < line.length; at++) far.push(far[at - 1] + Math.hypot(line[at][0] - line[at - 1][0], line[at][1] - line[at - 1][1]));
  let at = 1;
  return Array.from({ length: count }, (_, step) => {
    const wanted = (far[far.length - 1] * step) / (count - 1);
    while (at < line.length - 1 && far[at] < wanted) at++;
    const part = Math.min(1, (wanted - far[at - 1]) / (far[at] - far[at - 1] || 1));
    const [from, to] = [line[at - 1], line[at]];
    return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
  });
}

/** The images of a map that lie within a region and were not hidden there. */
export function imagesWithin(region: Region, map: PlacedMap, column: Column | undefined): number[] {
  const { outline } = region;
  const hidden = new Set(column?.kind === 'category' ? region.hide : []);
  const [xs, ys] = [0, 1].map((axis) => outline.map((one) => one[axis]));
  const found: number[] = [];
  for (const image of map.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys))) {
    if (hidden.size && hidden.has(column?.data[image] ?? NaN)) continue;
    if (inside(map.places[2 * image], map.places[2 * image + 1], outline)) found.push(image);
  }
  return found;
}

/** Whether a place lies within an outline (even-odd rule). */
function inside(x: number, y: number, outline: Path): boolean {
  let found = false;
  for (let at = 0, last = outline.length - 1; at < outline.length; last = at++) {
    const [[ax, ay], [bx, by]] = [outline[at], outline[last]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found = !found;
  }
  return found;
}
