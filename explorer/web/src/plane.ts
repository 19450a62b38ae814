// The map as it is drawn: places in -1..1, found again by place, and turned into codes.
import type { Dataset, MapAbout } from './data';
import type { Rectangle } from './scene';

const NEAREST = 12; // codes that a place between images is decoded from

export class PlacedMap {
  /** x and y in turn, both in -1..1. */
  readonly places: Float32Array;
  private cells: Int32Array; // where the images of each cell begin in `order`
  /** The images cell by cell, row by row. */
  readonly order: Int32Array;
  private side: number;

  constructor(
    readonly about: MapAbout, raw: Float32Array, private dataset: Dataset,
    private centre: [number, number], private unit: number,
  ) {
    const count = raw.length / 2;
    this.places = new Float32Array(raw.length);
    for (let at = 0; at < raw.length; at++) this.places[at] = (raw[at] - centre[at & 1]) / unit;
    this.side = Math.max(1, Math.min(512, Math.round(Math.sqrt(count / 3))));
    this.cells = new Int32Array(this.side ** 2 + 1);
    this.order = new Int32Array(count);
    const cellOf = new Int32Array(count);
    for (let at = 0; at < count; at++) {
      cellOf[at] = this.cell(this.places[2 * at + 1]) * this.side + this.cell(this.places[2 * at]);
      this.cells[cellOf[at] + 1]++;
    }
    for (let at = 1; at < this.cells.length; at++) this.cells[at] += this.cells[at - 1];
    const next = this.cells.slice();
    for (let at = 0; at < count; at++) this.order[next[cellOf[at]]++] = at;
  }

  static async of(dataset: Dataset, map: number): Promise<PlacedMap> {
    const raw = await dataset.placesOf(map);
    const low = [Infinity, Infinity];
    const high = [-Infinity, -Infinity];
    for (let at = 0; at < raw.length; at++) {
      low[at & 1] = Math.min(low[at & 1], raw[at]);
      high[at & 1] = Math.max(high[at & 1], raw[at]);
    }
    const unit = Math.max(high[0] - low[0], high[1] - low[1]) / 2 || 1;
    const centre: [number, number] = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    return new PlacedMap(dataset.about.maps[map], raw, dataset, centre, unit);
  }

  private cell(place: number): number {
    return Math.max(0, Math.min(this.side - 1, Math.floor(((place + 1) / 2) * this.side)));
  }

  /** Where in `order` the images of the cells lie that a rectangle of the map touches: from, to. */
  ranges({ x0, y0, x1, y1 }: Rectangle): [number, number][] {
    const found: [number, number][] = [];
    for (let row = this.cell(y0); row <= this.cell(y1); row++) {
      const [from, to] = [this.cells[row * this.side + this.cell(x0)], this.cells[row * this.side + this.cell(x1) + 1]];
      if (from < to) found.push([from, to]);
    }
    return found;
  }

  /** The images in a rectangle of the map. */
  *within(x0: number, y0: number, x1: number, y1: number): Generator<number> {
    for (const [from, to] of this.ranges({ x0, y0, x1, y1 })) {
      for (let at = from; at < to; at++) {
        const image = this.order[at];
        const [x, y] = [this.places[2 * image], this.places[2 * image + 1]];
        if (x >= x0 && x <= x1 && y >= y0 && y <= y1) yield image;
      }
    }
  }

  /** The images nearest to a place, the nearest first, with their distances. */
  nearest(x: number, y: number, most: number): { image: number; distance: number }[] {
    const count = this.order.length;
    const wanted = Math.min(most, count);
    for (let reach = 2 / this.side; ; reach *= 2) {
      const found: { image: number; distance: number }[] = [];
      for (const image of this.within(x - reach, y - reach, x + reach, y + reach)) {
        const distance = Math.hypot(this.places[2 * image] - x, this.places[2 * image + 1] - y);
        if (distance <= reach) found.push({ image, distance });
      }
      if (found.length >= wanted || reach > 16) {
        return found.sort((a, b) => a.distance - b.distance).slice(0, wanted);
      }
    }
  }

  get exact(): boolean { return this.about.plane !== null; }

  /** The code at a place: exact where the map is linear; else a mean of the nearest codes. */
  codeAt(x: number, y: number): Float32Array | null {
    const { plane } = this.about;
    if (plane) {
      const [rawX, rawY] = [x * this.unit + this.centre[0], y * this.unit + this.centre[1]];
      return Float32Array.from(plane.mean, (mean, at) => mean + rawX * plane.axes[0][at] + rawY * plane.axes[1][at]);
    }
    if (!this.dataset.about.codeSize) return null;
    // Weights fall to zero at the first image that is left out, so that the code moves without a jump.
    const near = this.nearest(x, y, NEAREST + 1);
    const reach = near[near.length - 1].distance || 1;
    const code = new Float32Array(this.dataset.about.codeSize);
    let sum = 0;
    for (const { image, distance } of near) {
      const weight = (1 - (distance / reach) ** 2) ** 2 / (1e-3 + (distance / reach) ** 2) + 1e-9;
      sum += weight;
      this.dataset.codes.forEach((column, at) => { code[at] += weight * column[image]; });
    }
    return code.map((one) => one / sum);
  }

  /** Where a code lies; for maps that are not linear, where its nearest image does. */
  placeOf(code: Float32Array, nearest: number): [number, number] {
    const { plane } = this.about;
    if (!plane) return [this.places[2 * nearest], this.places[2 * nearest + 1]];
    const raw = plane.axes.map((axis) => axis.reduce((sum, one, at) => sum + one * (code[at] - plane.mean[at]), 0));
    return [(raw[0] - this.centre[0]) / this.unit, (raw[1] - this.centre[1]) / this.unit];
  }
}
