// What the page is given: files by name, from the server or from within an exported page.
import { tableFromIPC } from '@uwdata/flechette';

export interface Plane { mean: number[]; axes: number[][] }
export interface MapAbout { name: string; title: string; plane: Plane | null }
export interface ColumnAbout { name: string; kind: 'category' | 'number'; values?: string[]; words?: string }
export interface SpriteLayout { width: number; height: number; across: number; down: number; sheets: number }
export interface Density { mean: number[]; words: string }
/** Gaussians: how probable each is, its mean, and the lower factor of its covariance. */
export interface Mixture { weights: number[]; means: number[][]; factors: number[][][] }
/** What logits are divided by, by the entropy of an image's classes (inference/calibration.py). */
export interface Temperature { typical: number; slope: number; entropy: number }
export interface ClassifierAbout { names: string[]; words: string; temperature?: Temperature; weights?: number[][]; bias?: number[] }
export interface About {
  title: string; version: number; notes: string[]; count: number; source: string;
  shape: [number, number, number]; codeSize: number; kind: string; columns: ColumnAbout[]; later: Record<string, string>; ordered: boolean; refined: boolean;
  sprites: SpriteLayout; maps: MapAbout[]; networks: boolean; classifier: ClassifierAbout | null; density: Density | null; fit: 'crop' | 'pad' | 'stretch';
}
export interface Progress { text: string; done: number; total: number }
export interface ServerState { version: number; progress: Progress | null }

export interface Column extends ColumnAbout { data: Int32Array | Float32Array }

/** The files of the explorer by name. */
export interface Source {
  live: boolean;
  file(name: string): Promise<ArrayBuffer>;
}

class Served implements Source {
  live = true;
  async file(name: string): Promise<ArrayBuffer> {
    const answer = await fetch(name === 'runtime.wasm' ? name : `data/${name}`);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.arrayBuffer();
  }
}

/** So many bytes of a file's own, and so many of another from a place of it on: weights that both networks have. */
type Piece = [own: number, start: number, length: number];

function joined(own: ArrayBuffer, other: ArrayBuffer, pieces: Piece[]): ArrayBuffer {
  const whole = new Uint8Array(pieces.reduce((sum, [before, , length]) => sum + before + length, 0));
  let [from, to] = [0, 0];
  for (const [before, start, length] of pieces) {
    whole.set(new Uint8Array(own, from, before), to);
    whole.set(new Uint8Array(other, start, length), to + before);
    [from, to] = [from + before, to + before + length];
  }
  return whole.buffer;
}

function unpacked(packed: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

class Embedded implements Source {
  live = false;
  async file(name: string): Promise<ArrayBuffer> {
    const held = document.getElementById(`file:${name}`);
    if (!held) throw new Error(`this page does not hold ${name}`);
    const packed = Uint8Array.from(atob((held.textContent ?? '').trim()), (one) => one.charCodeAt(0));
    const own = held.dataset.packed === 'gzip' ? await unpacked(packed) : packed.buffer;
    const { from, pieces } = held.dataset;
    return from && pieces ? joined(own, await this.file(from), JSON.parse(pieces) as Piece[]) : own;
  }
}

export const source: Source = document.getElementById('file:about.json') ? new Embedded() : new Served();

/** What the server answers to a request of the page; an error with its words where it refuses. */
export async function asked(what: string, given: object): Promise<Response> {
  const answer = await fetch(what, { method: 'POST', body: JSON.stringify(given) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

/** The columns of an Arrow stream by name, each in one array. */
export function columnsOf(buffer: ArrayBuffer): Record<string, ArrayLike<number>> {
  const table = tableFromIPC(new Uint8Array(buffer));
  return Object.fromEntries(
    table.names.map((name) => [name, table.getChild(name).toArray() as ArrayLike<number>]),
  );
}

/** All that is shown of one set of images. */
export class Dataset {
  readonly names: string[];
  columns: Column[];
  readonly codes: Float32Array[];
  readonly places: (Float32Array | null)[];
  private known: Mixture | null = null;

  constructor(readonly about: About, names: ArrayBuffer, columns: ArrayBuffer, codes: ArrayBuffer | null) {
    this.names = Array.from(columnsOf(names).name as unknown as ArrayLike<string>);
    const found = columnsOf(columns);
    this.columns = about.columns.map((one) => ({
      ...one,
      data: one.kind === 'category' ? Int32Array.from(found[one.name]) : Float32Array.from(found[one.name]),
    }));
    const values = codes ? columnsOf(codes) : {};
    this.codes = Array.from({ length: about.codeSize }, (_, at) => Float32Array.from(values[`c${at}`]));
    this.places = about.maps.map(() => null);
  }

  static async load(): Promise<Dataset> {
    const about = JSON.parse(new TextDecoder().decode(await source.file('about.json'))) as About;
    const [names, columns, codes] = await Promise.all([
      source.file('names.arrow'),
      source.file('columns.arrow'),
      about.codeSize ? source.file('codes.arrow') : null,
    ]);
    return new Dataset(about, names, columns, codes);
  }

  get count(): number { return this.about.count; }

  /** The places of a map as it was computed, x and y in turn. */
  async placesOf(map: number): Promise<Float32Array> {
    const known = this.places[map];
    if (known) return known;
    const { x, y } = columnsOf(await source.file(`map-${map}.arrow`));
    const places = new Float32Array(this.count * 2);
    for (let at = 0; at < this.count; at++) {
      places[2 * at] = x[at];
      places[2 * at + 1] = y[at];
    }
    this.places[map] = places;
    return places;
  }

  get fitted(): boolean { return this.known !== null; }

  /** What new codes are drawn from. */
  async mixture(): Promise<Mixture> {
    return (this.known ??= JSON.parse(new TextDecoder().decode(await source.file('mixture.json'))) as Mixture);
  }

  code(image: number): Float32Array {
    return Float32Array.from(this.codes, (column) => column[image]);
  }

  column(name: string): Column | undefined {
    return this.columns.find((one) => one.name === name);
  }

  /** Whether a column must be computed before it is shown. */
  waits(name: string): boolean { return !this.column(name) && name in this.about.later; }

  /** A column, computed where it waits for that. */
  async loaded(name: string): Promise<Column | undefined> {
    if (this.waits(name)) {
      const data = columnsOf(await source.file(`column-${name}.arrow`))[name];
      // A column of whole numbers has the groups that are counted from 1.
      const column: Column = data instanceof Int32Array
        ? { name, kind: 'category', data, values: Array.from({ length: data.reduce((a, b) => Math.max(a, b), -1) + 1 }, (_, at) => String(at + 1)) }
        : { name, kind: 'number', data: Float32Array.from(data), words: this.about.later[name] };
      if (this.waits(name)) this.columns = [...this.columns, column];
    }
    return this.column(name);
  }

  /** An image's name; where that is its row alone, with a word before it. */
  titled(image: number): string {
    const name = this.names[image];
    return /^\d+$/.test(name) ? `image ${name}` : name;
  }
}

/** Small pictures of the images, loaded a sheet at a time as they are drawn. */
export class Sprites {
  private sheets = new Map<number, ImageBitmap | 'asked'>();
  constructor(private layout: SpriteLayout, private loaded: () => void) {}

  get width(): number { return this.layout.width; }
  get height(): number { return this.layout.height; }

  /** Draw an image's small picture; false while its sheet is on its way. */
  draw(to: CanvasRenderingContext2D, image: number, x: number, y: number, w: number, h: number): boolean {
    const { across, down, width, height } = this.layout;
    const place = image % (across * down);
    const sheet = this.sheet(Math.floor(image / (across * down)));
    if (!sheet) return false;
    to.drawImage(sheet, (place % across) * width, Math.floor(place / across) * height, width, height, x, y, w, h);
    return true;
  }

  async ready(image: number): Promise<void> {
    const number = Math.floor(image / (this.layout.across * this.layout.down));
    if (this.sheet(number)) return;
    await this.load(number);
  }

  private sheet(number: number): ImageBitmap | null {
    const known = this.sheets.get(number);
    if (!known) void this.load(number);
    return known && known !== 'asked' ? known : null;
  }

  private async load(number: number): Promise<void> {
    this.sheets.set(number, 'asked');
    try {
      this.sheets.set(number, await createImageBitmap(new Blob([await source.file(`sheet-${number}`)])));
    } catch {
      this.sheets.delete(number);
      return;
    }
    this.loaded();
  }
}
