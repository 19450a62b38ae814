// What mouse, touch and keys do on the map.
import { tell } from './dom';
import type { Path, Scene } from './scene';

export type Tool = 'move' | 'lasso' | 'box' | 'path';

export interface Wishes {
  hover(place: [number, number] | null, at: [number, number]): void;
  pick(place: [number, number], image: number): void;
  select(outline: Path): void;
  film(path: Path): void;
  moved(): void;
  reset(): void;
}

const SLOP = 4; // CSS pixels that a click may move

export class Pointer {
  tool: Tool = 'move';
  private pointers = new Map<number, [number, number]>();
  private start: [number, number] = [0, 0];
  private dragged = false;
  private drawing: Tool = 'move';
  private apart = 0;
  private between: [number, number] = [0, 0]; // the middle of two fingers
  private keyed = false; // something is being drawn by keys

  constructor(private layers: HTMLElement, private scene: Scene, private wishes: Wishes) {
    const on = <K extends keyof HTMLElementEventMap>(name: K, what: (event: HTMLElementEventMap[K]) => void): void =>
      layers.addEventListener(name, what, { passive: false });
    on('pointerdown', (event) => this.down(event));
    on('pointermove', (event) => this.move(event));
    on('pointerup', (event) => this.up(event));
    on('pointercancel', (event) => this.up(event));
    on('pointerleave', (event) => wishes.hover(null, this.at(event)));
    on('wheel', (event) => {
      event.preventDefault();
      scene.camera.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0016)), ...this.at(event));
      this.changed();
    });
    on('dblclick', () => wishes.reset());
    on('keydown', (event) => this.key(event));
    on('blur', () => wishes.hover(null, [0, 0]));
  }

  private at(event: MouseEvent): [number, number] {
    const box = this.layers.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private changed(): void {
    this.scene.draw();
    this.wishes.moved();
  }

  private down(event: PointerEvent): void {
    if (event.button) return;
    this.layers.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.at(event));
    this.start = this.at(event);
    this.dragged = this.pointers.size > 1;
    this.apart = 0;
    this.drawing = event.shiftKey ? (event.altKey ? 'box' : 'lasso') : event.altKey ? 'path' : this.tool;
    if (this.pointers.size > 1) {
      this.giveUp(); // what a first finger had begun to draw
      this.drawing = 'move';
    }
    this.begin();
    if (this.pointers.size === 2) this.pinch();
  }

  private begin(): void {
    this.keyed = false;
    this.scene.outline = null;
    if (this.drawing === 'path') this.scene.path = null; // another film begins
  }

  /** Go on with what is being drawn, from where it began to where it is now. */
  private drawTo(began: [number, number], here: [number, number]): void {
    const { scene } = this;
    if (this.drawing === 'box') scene.outline = [began, [here[0], began[1]], here, [began[0], here[1]]];
    else if (this.drawing === 'lasso') scene.outline = [...(scene.outline ?? [began]), here];
    else scene.path = [...(scene.path ?? [began]), here];
  }

  private end(): void {
    const { outline, path } = this.scene;
    this.keyed = false;
    this.scene.outline = null;
    if (outline) this.wishes.select(outline);
    else if (path && this.drawing === 'path') this.wishes.film(path);
  }

  private giveUp(): void {
    this.keyed = false;
    this.scene.outline = null;
    if (this.drawing === 'path') this.scene.path = null;
    this.scene.draw();
  }

  private move(event: PointerEvent): void {
    const { scene } = this;
    const at = this.at(event);
    const held = this.pointers.get(event.pointerId);
    if (!held) return this.wishes.hover(scene.camera.toMap(...at), at);
    if (Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) > SLOP) this.dragged = true;
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) return this.pinch();
    if (!this.dragged) return;
    const here = scene.camera.toMap(...at);
    const began = scene.camera.toMap(...this.start);
    if (this.drawing === 'move') {
      scene.camera.pan(at[0] - held[0], at[1] - held[1]);
      this.changed();
    } else {
      this.drawTo(began, here);
      if (this.drawing === 'path') this.wishes.hover(here, at);
    }
    scene.draw();
  }

  private pinch(): void {
    const [a, b] = Array.from(this.pointers.values());
    const apart = Math.hypot(a[0] - b[0], a[1] - b[1]);
    const between: [number, number] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    if (this.apart) {
      this.scene.camera.pan(between[0] - this.between[0], between[1] - this.between[1]);
      this.scene.camera.zoomAt(apart / this.apart, ...between);
      this.changed();
    }
    [this.apart, this.between] = [apart, between];
  }

  private up(event: PointerEvent): void {
    if (!this.pointers.delete(event.pointerId)) return;
    const { scene } = this;
    this.apart = 0;
    if (event.type === 'pointercancel') this.giveUp();
    else if (this.dragged) this.end();
    else {
      const at = this.at(event);
      this.wishes.pick(scene.camera.toMap(...at), this.imageAt(...at));
    }
    scene.draw();
  }

  /** The image under a place of the screen, or -1. */
  imageAt(x: number, y: number): number {
    const { scene } = this;
    if (!scene.map) return -1;
    const picture = scene.shown.findLast(([, left, top, w, h]) => x >= left && x <= left + w && y >= top && y <= top + h);
    if (picture) return picture[0];
    const reach = Math.max(6, scene.pointSize / 2 + 2);
    const place = scene.camera.toMap(x, y);
    for (const { image, distance } of scene.map.nearest(...place, 8)) {
      if (distance * scene.camera.scale > reach) return -1;
      if (scene.colours[4 * image + 3]) return image;
    }
    return -1;
  }

  /** By keys: Enter begins a lasso, a box or a path in the middle of the map and ends it, arrows draw it. */
  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey) return;
    const { camera } = this.scene;
    const key = event.key.length > 1 ? event.key : event.key.toLowerCase();
    const middle: [number, number] = [camera.width / 2, camera.height / 2];
    const step = event.shiftKey ? 150 : 40;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => camera.pan(step, 0),
      ArrowRight: () => camera.pan(-step, 0),
      ArrowUp: () => camera.pan(0, step),
      ArrowDown: () => camera.pan(0, -step),
      '+': () => camera.zoomAt(1.25, ...middle),
      '=': () => camera.zoomAt(1.25, ...middle),
      '-': () => camera.zoomAt(0.8, ...middle),
    };
    if (key in moves) {
      moves[key]();
      if (this.keyed) this.drawTo(this.start, camera.toMap(...middle));
      this.wishes.hover(camera.toMap(...middle), middle);
      this.changed();
    } else if (key === '0' || key === 'Home') this.wishes.reset();
    else if (key === 'Escape') this.giveUp();
    else if (key === 'Enter' && this.keyed) {
      this.end();
    } else if (key === 'Enter' && this.tool !== 'move') {
      this.drawing = this.tool;
      this.begin();
      [this.keyed, this.start] = [true, camera.toMap(...middle)];
      this.drawTo(this.start, this.start);
      this.scene.draw();
      tell('arrows draw, Enter ends it, Escape gives it up');
    } else if (key === 'Enter') {
      const near = this.scene.map?.nearest(...camera.toMap(...middle), 1)[0];
      this.wishes.pick(camera.toMap(...middle), near ? near.image : -1);
    } else if (key === 's') {
      const [x0, y1] = camera.toMap(0, 0);
      const [x1, y0] = camera.toMap(camera.width, camera.height);
      this.wishes.select([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]);
    } else return;
    if (!(key in moves)) this.wishes.hover(null, middle);
    event.preventDefault();
  }
}
