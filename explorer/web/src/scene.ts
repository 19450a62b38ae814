// The map as layers: a grid of decodes, points, and small pictures with marks above them.
import { Camera } from './camera';
import { css, ink, named, onPaper } from './colour';
import { density, MANY, WHOLE } from './density';
import type { Sprites } from './data';
import { still } from './dom';
import type { PlacedMap } from './plane';
import { pointsOn, type Points } from './points';

export interface Rectangle { x0: number; y0: number; x1: number; y1: number }
export interface Grid extends Rectangle { picture: HTMLCanvasElement }
export type Path = [number, number][]; // places of the map

const MOVE = 700; // milliseconds from one map to another
const CROWD = 1200; // points in view below which small pictures stand for them, closer in
const DENSE = 1024; // cells of a side of the density of all points
const REST = 120; // milliseconds without a move after which it is drawn finely
const SLOW = 30; // milliseconds that a frame is waited for above which fewer points are drawn while the map moves
const THINNEST = 16; // one point in so many, at most
const DRAWN = 10_000; // points that are drawn in any case, if there are so many
const RINGS = 300; // selected images that have a ring each; more are told by their colour alone
const LAPPED = 0.8; // of a small picture's side, which the middles of two are apart
const AROUND = [-1, 0, 1].flatMap((across) => [-1, 0, 1].map((down) => [across, down]));
const FEW = 700; // points below which they do from the beginning

export class Scene {
  readonly camera = new Camera();
  readonly points: Points;
  map: PlacedMap | null = null;
  colours: Uint8Array = new Uint8Array();
  pictures: 'auto' | 'on' | 'off' = 'auto';
  grid: Grid | null = null;
  hovered = -1;
  inspected = -1;
  selected: Set<number> = new Set();
  picked: { label: string; image: number }[] = [];
  outline: Path | null = null;
  path: Path | null = null;
  mark: [number, number] | null = null;
  /** The small pictures that are drawn, the uppermost last: image, left, top, width, height. */
  shown: [number, number, number, number, number][] = [];

  private back: CanvasRenderingContext2D;
  private middle: HTMLCanvasElement;
  private front: CanvasRenderingContext2D;
  private asked = false;
  private before: Float32Array | null = null;
  private began = 0;
  private visible = 0;
  private whole: Grid | null = null; // the density of all points
  private close: Grid | null = null; // of those that were seen when the map came to rest
  private resting = 0;
  private every = 1; // while the map moves, one point in so many is drawn
  private since = 0; // when the frame that comes was asked for
  private rests = false;
  private thin = 0;

  constructor(private layers: HTMLElement, private sprites: Sprites) {
    const [back, middle, front] = Array.from(layers.querySelectorAll('canvas'));
    this.back = back.getContext('2d') as CanvasRenderingContext2D;
    this.front = front.getContext('2d') as CanvasRenderingContext2D;
    this.middle = middle;
    this.points = pointsOn(middle);
    new ResizeObserver(() => this.resize()).observe(layers);
    this.resize();
  }

  /** Forget all that belongs to another set. */
  renew(sprites: Sprites): void {
    this.sprites = sprites;
    this.grid = this.outline = this.path = this.mark = null;
    this.hovered = this.inspected = -1;
    this.selected = new Set();
    this.picked = [];
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.layers;
    const dpr = Math.min(2, devicePixelRatio || 1);
    this.camera.width = Math.max(1, clientWidth);
    this.camera.height = Math.max(1, clientHeight);
    for (const canvas of this.layers.querySelectorAll('canvas')) {
      canvas.width = Math.max(1, Math.round(clientWidth * dpr));
      canvas.height = Math.max(1, Math.round(clientHeight * dpr));
    }
    this.layers.style.setProperty('--aspect', String(this.camera.width / this.camera.height));
    this.draw();
  }

  /** Move the map so that a place of it is seen. */
  bring(place: [number, number]): void {
    const { x0, x1, y0, y1 } = this.view;
    if (place[0] > x0 && place[0] < x1 && place[1] > y0 && place[1] < y1) return;
    this.camera.view = { ...this.camera.view, x: place[0], y: place[1] };
  }

  show(map: PlacedMap): void {
    const old = this.places();
    this.map = map;
    const moves = old && old.length === map.places.length && !still.matches && old.length < 400_000;
    this.before = moves ? old : null;
    this.began = performance.now();
    this.grid = null;
    this.place();
    this.colour();
    this.draw();
  }

  paint(rgba: Uint8Array): void {
    this.colours = rgba;
    this.visible = 0;
    for (let at = 3; at < rgba.length; at += 4) if (rgba[at]) this.visible++;
    this.colour();
    this.draw();
  }

  /** Hand the places over, in the order in which the map has its images. */
  private place(): void {
    if (!this.map) return;
    const { places, order } = this.map;
    const sorted = (values: Float32Array): Float32Array => {
      const found = new Float32Array(values.length);
      order.forEach((image, at) => { found[2 * at] = values[2 * image]; found[2 * at + 1] = values[2 * image + 1]; });
      return found;
    };
    const to = sorted(places);
    this.points.places(this.before ? sorted(this.before) : to, to);
  }

  private colour(): void {
    this.whole = this.close = null;
    if (!this.map || !this.colours.length) return;
    const from = new Uint32Array(this.colours.buffer);
    this.points.colours(new Uint8Array(Uint32Array.from(this.map.order, (image) => from[image]).buffer));
  }

  private get view(): Rectangle {
    const [x0, y1] = this.camera.toMap(0, 0);
    const [x1, y0] = this.camera.toMap(this.camera.width, this.camera.height);
    return { x0, y0, x1, y1 };
  }

  /** Draw the density of the points: at once as it was, and finely when the map has come to rest. */
  private renderDensity(map: PlacedMap): void {
    this.whole ??= density(map, this.colours, WHOLE, DENSE, DENSE);
    const { view, close } = this;
    const fine = close && close.x0 === view.x0 && close.x1 === view.x1 && close.y0 === view.y0 && close.y1 === view.y1;
    this.renderGrid(fine ? close : this.whole);
    if (fine || this.camera.zoom < 1.5) return;
    clearTimeout(this.resting);
    this.resting = window.setTimeout(() => {
      if (this.map !== map) return;
      this.close = density(map, this.colours, this.view, Math.ceil(this.camera.width / 2), Math.ceil(this.camera.height / 2));
      this.draw();
    }, REST);
  }

  /** How far the points have moved to the map that is shown, from 0 to 1. */
  private get moved(): number {
    if (!this.before) return 1;
    const part = Math.min(1, (performance.now() - this.began) / MOVE);
    return part * part * (3 - 2 * part);
  }

  private places(): Float32Array | null {
    if (!this.map) return null;
    const { before, moved } = this;
    if (!before || moved === 1) return this.map.places;
    return this.map.places.map((to, at) => before[at] + (to - before[at]) * moved);
  }

  draw(): void {
    if (this.asked) return;
    this.asked = true;
    this.since = performance.now();
    requestAnimationFrame(() => {
      this.asked = false;
      this.render();
    });
  }

  get pointSize(): number {
    const base = Math.max(1.6, Math.min(9, 380 / Math.sqrt(this.visible || 1)));
    return Math.min(16, base * this.camera.zoom ** 0.35);
  }

  /** Draw at once; `draw` waits for the next frame. */
  render(): void {
    const moved = this.moved;
    const { map } = this;
    const ranges = map ? map.ranges(moved === 1 ? this.view : WHOLE) : [];
    const many = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    const shown = moved === 1 && many < 20 * CROWD ? this.inView() : [];
    const pictures = this.pictures === 'on' || (this.pictures === 'auto' && !this.grid && shown.length > 0 && shown.length < (this.camera.zoom > 1.2 ? CROWD : FEW));
    this.clean(this.back);
    if (this.grid) this.renderGrid(this.grid);
    const dense = map && moved === 1 && this.visible > MANY && many > MANY;
    if (dense) this.renderDensity(map);
    const every = this.thinned(dense ? 0 : many);
    this.points.draw(this.camera, moved, this.pointSize, this.grid ? 0.9 : many > MANY ? 0.35 : 0.85, dense ? [] : ranges, every);
    this.renderFront(pictures ? shown : []);
    if (moved < 1) this.draw();
    else if (this.before) {
      this.before = null;
      this.place();
      this.draw();
    }
  }

  /** One point in how many is drawn: fewer while the map moves and frames come slowly, all when it rests. */
  private thinned(many: number): number {
    const slow = performance.now() - this.since > SLOW;
    clearTimeout(this.thin);
    const rests = this.rests || many < 2 * DRAWN;
    this.rests = false;
    if (rests) {
      this.every = Math.max(1, this.every / 2);
      return 1;
    }
    if (slow) this.every = Math.min(THINNEST, 2 * this.every);
    if (this.every > 1) this.thin = window.setTimeout(() => { this.rests = true; this.draw(); }, REST);
    return Math.min(this.every, Math.max(1, Math.floor(many / DRAWN)));
  }

  /** The images that are seen and not filtered away. */
  inView(): number[] {
    const { x0, y0, x1, y1 } = this.view;
    const found: number[] = [];
    for (const image of this.map?.within(x0, y0, x1, y1) ?? []) if (this.colours[4 * image + 3]) found.push(image);
    return found;
  }

  private clean(layer: CanvasRenderingContext2D): void {
    const dpr = layer.canvas.width / this.camera.width;
    layer.setTransform(dpr, 0, 0, dpr, 0, 0);
    layer.clearRect(0, 0, this.camera.width, this.camera.height);
  }

  private renderGrid(grid: Grid): void {
    const [left, top] = this.camera.toScreen(grid.x0, grid.y1);
    const [right, bottom] = this.camera.toScreen(grid.x1, grid.y0);
    this.back.imageSmoothingQuality = 'high';
    this.back.drawImage(grid.picture, left, top, right - left, bottom - top);
  }

  private renderFront(pictured: number[]): void {
    const { front, camera } = this;
    this.clean(front);
    // A layer that has just been drawn is printed on white: the uppermost one holds them all.
    if (onPaper()) for (const layer of [this.back.canvas, this.middle]) front.drawImage(layer, 0, 0, camera.width, camera.height);
    this.shown = [];
    if (pictured.length) this.renderPictures(pictured);
    if (this.selected.size && this.selected.size <= RINGS && this.map) {
      front.strokeStyle = ink();
      front.lineWidth = 1;
      front.beginPath();
      const radius = this.pointSize / 2 + 1.5;
      for (const image of this.selected) {
        const [x, y] = this.screenOf(image);
        if (x < 0 || y < 0 || x > camera.width || y > camera.height) continue;
        front.moveTo(x + radius, y);
        front.arc(x, y, radius, 0, 7);
      }
      front.stroke();
    }
    for (const line of [this.outline, this.path]) if (line) this.renderLine(line, line === this.outline);
    if (this.mark) this.renderMark(...camera.toScreen(...this.mark));
    for (const { label, image } of this.picked) this.renderTag(image, label);
    if (this.inspected >= 0) this.renderRing(this.inspected, 3);
    if (this.hovered >= 0 && this.hovered !== this.inspected) this.renderRing(this.hovered, 1.5);
  }

  screenOf(image: number): [number, number] {
    const places = (this.map as PlacedMap).places;
    return this.camera.toScreen(places[2 * image], places[2 * image + 1]);
  }

  /** Small pictures, one where several would lie one upon the other. */
  private renderPictures(images: number[]): void {
    const side = Math.max(26, Math.min(72, 26 * this.camera.zoom ** 0.3));
    const { width, height } = this.sprites;
    const large = Math.max(width, height);
    const [w, h] = [(side * width) / large, (side * height) / large];
    const taken = new Map<number, [number, number]>(); // of each cell of the screen, the middle of its picture
    this.front.imageSmoothingEnabled = true;
    for (const image of images) {
      const [x, y] = this.screenOf(image);
      const [column, row] = [Math.round(x / (w + 3)), Math.round(y / (h + 3))];
      const covers = AROUND.some(([across, down]) => {
        const other = taken.get((column + across) * 65_536 + row + down);
        return other && Math.abs(other[0] - x) < LAPPED * w && Math.abs(other[1] - y) < LAPPED * h;
      });
      if (covers) continue;
      taken.set(column * 65_536 + row, [x, y]);
      const [r, g, b] = this.colours.subarray(4 * image, 4 * image + 3);
      this.front.globalAlpha = this.colours[4 * image + 3] < 255 ? 0.35 : 1;
      this.front.fillStyle = css([r, g, b]);
      this.front.fillRect(x - w / 2 - 1.5, y - h / 2 - 1.5, w + 3, h + 3);
      this.sprites.draw(this.front, image, x - w / 2, y - h / 2, w, h);
      this.shown.push([image, x - w / 2, y - h / 2, w, h]);
    }
    this.front.globalAlpha = 1;
  }

  private renderLine(line: Path, closed: boolean): void {
    const { front } = this;
    front.beginPath();
    line.forEach((place, at) => front[at ? 'lineTo' : 'moveTo'](...this.camera.toScreen(...place)));
    if (closed) {
      front.closePath();
      front.fillStyle = 'rgb(120 160 255 / 0.13)';
      front.fill();
    }
    front.lineWidth = closed ? 1.5 : 3;
    front.setLineDash(closed ? [5, 4] : []);
    front.strokeStyle = css(named(1));
    front.stroke();
    front.setLineDash([]);
  }

  private renderMark(x: number, y: number): void {
    const { front } = this;
    for (const [width, colour] of [[4, 'rgb(0 0 0 / 0.6)'], [1.5, css(named(1))]] as const) {
      front.lineWidth = width;
      front.strokeStyle = colour;
      front.beginPath();
      front.arc(x, y, 6, 0, 7);
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        front.moveTo(x + 6 * dx, y + 6 * dy);
        front.lineTo(x + 12 * dx, y + 12 * dy);
      }
      front.stroke();
    }
  }

  private renderRing(image: number, width: number): void {
    const [x, y] = this.screenOf(image);
    const { front } = this;
    const radius = this.pointSize / 2 + 4;
    const picture = this.shown.find(([one]) => one === image);
    for (const [more, colour] of [[2, 'rgb(0 0 0 / 0.55)'], [0, '#fff']] as const) {
      front.lineWidth = width + more;
      front.strokeStyle = colour;
      front.beginPath();
      if (picture) front.rect(picture[1] - 2, picture[2] - 2, picture[3] + 4, picture[4] + 4);
      else front.arc(x, y, radius, 0, 7);
      front.stroke();
    }
  }

  private renderTag(image: number, label: string): void {
    const [x, y] = this.screenOf(image);
    const { front } = this;
    front.beginPath();
    front.arc(x, y - 16, 9, 0, 7);
    front.moveTo(x - 4, y - 9);
    front.lineTo(x, y - 3);
    front.lineTo(x + 4, y - 9);
    front.fillStyle = css(named(1));
    front.fill();
    front.fillStyle = '#111';
    front.font = '700 11px system-ui, sans-serif';
    front.textAlign = 'center';
    front.textBaseline = 'middle';
    front.fillText(label, x, y - 15.5);
  }
}
