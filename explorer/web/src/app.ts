// What the parts of the page share: the set, the networks, the map, and what is looked at.
import { colours } from './colour';
import { predictions } from './classify';
import { asked, source, type ClassifierAbout, type Column, type Dataset, type Sprites } from './data';
import { tell } from './dom';
import type { Networks } from './networks';
import type { PlacedMap } from './plane';
import type { Region } from './region';
import type { Scene } from './scene';

export type Slot = 'A' | 'B' | 'C';
type Event = 'code' | 'inspect' | 'select' | 'slots' | 'labels' | 'learned' | 'path' | 'undone';
export const YOURS = 'your label';
const FAINT = 64; // of 255: how strongly images are drawn beside selected ones

export interface Looked { image: number; pixels: ImageData; name: string; code: Float32Array }

export class App {
  networks: Networks | null = null;
  map: PlacedMap | null = null;
  column: Column | undefined;
  hidden = new Set<number>();
  /** The code that is decoded: of the place under the pointer, of the sliders, of an image. */
  code: Float32Array | null = null;
  said = '';
  looked: Looked | null = null;
  selected: number[] = [];
  /** What encloses them on a map; null: they were chosen otherwise. */
  region: Region | null = null;
  slots: Partial<Record<Slot, number>> = {};
  labels: Record<string, string> = {};
  /** The classifier that was fitted to these labels. */
  learned: ClassifierAbout | null = null;
  path: Float32Array[] = [];
  /** The names of the images whose label was taken back last. */
  undone: string[] = [];
  private given: Record<string, string>[] = [];
  private listeners = new Map<Event, (() => void)[]>();

  constructor(readonly dataset: Dataset, readonly sprites: Sprites, readonly scene: Scene) {}

  on(event: Event, listener: () => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  changed(event: Event): void {
    for (const listener of this.listeners.get(event) ?? []) listener();
  }

  show(code: Float32Array, said: string): void {
    [this.code, this.said] = [code, said];
    this.changed('code');
  }

  /** Colour by a column, and hide what its legend hides. */
  paint(): void {
    const rgba = colours(this.column, this.dataset.count);
    if (this.column?.kind === 'category') {
      for (let at = 0; at < this.dataset.count; at++) if (this.hidden.has(this.column.data[at])) rgba[4 * at + 3] = 0;
    }
    const { selected } = this.scene;
    if (selected.size) for (let at = 0; at < this.dataset.count; at++) if (!selected.has(at)) rgba[4 * at + 3] &= FAINT;
    this.scene.paint(rgba);
  }

  /** The pixels of an image of the set, as its small picture has them. */
  async pixels(image: number): Promise<ImageData> {
    await this.sprites.ready(image);
    const { width, height } = this.sprites;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d') as unknown as CanvasRenderingContext2D;
    this.sprites.draw(context, image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }

  async inspect(image: number): Promise<void> {
    const pixels = await this.pixels(image);
    const code = this.dataset.about.codeSize ? this.dataset.code(image) : new Float32Array();
    this.look({ image, pixels, name: this.dataset.names[image], code });
  }

  look(looked: Looked | null): void {
    this.looked = looked;
    this.scene.inspected = looked ? looked.image : -1;
    this.scene.mark = null;
    this.scene.draw();
    this.changed('inspect');
    if (looked?.code.length) this.show(looked.code, `the reconstruction of ${looked.image < 0 ? looked.name : this.dataset.titled(looked.image)}`);
  }

  put(slot: Slot, image: number): void {
    this.pick({ ...this.slots, [slot]: image });
  }

  pick(slots: Partial<Record<Slot, number>>): void {
    this.slots = Object.fromEntries(Object.entries(slots).filter(([, image]) => image < this.dataset.count));
    if (this.slots.A !== undefined && this.slots.B !== undefined) {
      this.path = []; // the film is of what lies between these now
      this.scene.path = null;
    }
    this.scene.picked = (Object.entries(this.slots) as [Slot, number][]).map(([label, one]) => ({ label, image: one }));
    this.scene.draw();
    this.changed('slots');
  }

  select(images: number[], region: Region | null = null): void {
    [this.selected, this.region] = [images, region];
    this.scene.selected = new Set(images);
    this.paint();
    this.changed('select');
  }

  /** The labels that a person gave, as a column. */
  labelled(): Column {
    const values = [...new Set(Object.values(this.labels))].sort();
    const numbers = new Map(values.map((one, at) => [one, at]));
    const data = Int32Array.from(this.dataset.names, (name) => numbers.get(this.labels[name]) ?? -1);
    return { name: YOURS, kind: 'category', values, data };
  }

  /** Give images a label, or take theirs away where it is empty. */
  async give(images: number[], text: string): Promise<void> {
    const names = images.map((image) => this.dataset.names[image]);
    const before = Object.fromEntries(names.map((name) => [name, this.labels[name] ?? '']));
    await this.label(Object.fromEntries(names.map((name) => [name, text])));
    this.given.push(before);
    const what = names.length === 1 ? '1 image is' : `${names.length.toLocaleString('en')} images are`;
    tell(text ? `${what} labelled ${text}` : `the labels of ${names.length} images are taken away`);
  }

  /** Take the last label back. */
  async undo(): Promise<void> {
    const before = this.given.pop();
    if (before) await this.label(before);
    tell(before ? 'the last label is undone' : 'there is nothing to undo');
    this.undone = Object.keys(before ?? {});
    this.changed('undone');
  }

  /** Fit the classifier of the labels, and what it says of every image, as columns. */
  async learn(): Promise<void> {
    this.learned = (await (await asked('classifier', {})).json()) as ClassifierAbout;
    const found = predictions(this.learned, this.dataset);
    const names = found.map((one) => one.name);
    this.dataset.columns = [...this.dataset.columns.filter((one) => !names.includes(one.name)), ...found];
    this.changed('learned');
  }

  private async label(changes: Record<string, string>): Promise<void> {
    if (source.live) {
      this.labels = (await (await asked('labels', changes)).json()) as Record<string, string>;
    } else {
      this.labels = Object.fromEntries(Object.entries({ ...this.labels, ...changes }).filter(([, one]) => one));
    }
    this.changed('labels');
  }
}
