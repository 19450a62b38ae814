// The networks as the page calls them: each call is answered by the worker.
import { asked, source, type Dataset } from './data';

export interface Nearest { images: number[]; distances: number[] }

export class Networks {
  private worker: Worker | null = null;
  private waiting = new Map<number, { done: (found: never) => void; failed: (why: Error) => void }>();
  private next = 0;
  readonly width: number;
  readonly height: number;

  constructor(private dataset: Dataset) {
    [, this.height, this.width] = dataset.about.shape;
  }

  private async open(): Promise<void> {
    const address = source.live
      ? 'worker.js'
      : URL.createObjectURL(new Blob([await source.file('worker.js')], { type: 'text/javascript' }));
    this.worker = new Worker(address);
    this.worker.onmessage = ({ data }) => {
      const waiting = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error) waiting?.failed(new Error(data.error));
      else waiting?.done(data.found as never);
    };
  }

  async start(): Promise<void> {
    await this.open();
    const { about, codes } = this.dataset;
    const head = about.classifier && !about.classifier.weights ? ['classifier.onnx'] : [];
    const [wasm, decoder, encoder, classifier] = await Promise.all(
      ['runtime.wasm', 'decoder.onnx', 'encoder.onnx', ...head].map((name) => source.file(name)),
    );
    const given = { wasm, decoder, encoder, classifier, shape: about.shape, size: about.codeSize, codes: source.live ? [] : codes };
    await this.ask('start', { start: given }, [wasm]);
  }

  stop(): void { this.worker?.terminate(); }

  /** Codes, one after another -> one picture for each. */
  async decode(codes: Float32Array): Promise<ImageData[]> {
    const pixels = await this.ask<Uint8ClampedArray<ArrayBuffer>>('decode', { codes });
    const area = this.width * this.height * 4;
    return Array.from(
      { length: pixels.length / area },
      (_, at) => new ImageData(pixels.slice(at * area, (at + 1) * area), this.width, this.height),
    );
  }

  /** An image's code: by the machine where there is one, which refines it; else by the encoder alone. */
  async encode(pixels: Float32Array): Promise<Float32Array> {
    const small = pixels.length < 2_000_000; // numbers that a request may hold
    if (!source.live || !this.dataset.about.refined || !small) return this.ask('encode', { pixels });
    const bytes = Array.from(pixels, (value) => Math.round(255 * value));
    return Float32Array.from(((await (await asked('code', { pixels: bytes })).json()) as { code: number[] }).code);
  }

  /** A code -> the logits of the run's classes. */
  classify(code: Float32Array): Promise<Float32Array> { return this.ask('classify', { code }); }

  async nearest(code: Float32Array, most: number): Promise<Nearest> {
    if (!source.live) return this.ask('nearest', { code, most });
    return (await (await asked('nearest', { code: Array.from(code), count: most })).json()) as Nearest;
  }

  private ask<T>(what: string, given: object, moved: Transferable[] = []): Promise<T> {
    const id = this.next++;
    return new Promise<T>((done, failed) => {
      this.waiting.set(id, { done: done as (found: never) => void, failed });
      this.worker?.postMessage({ id, do: what, ...given }, moved);
    });
  }
}

/** Calls `work` with what was given last; what was given meanwhile, and is no longer wanted, is left out. */
export function latest<T>(work: (given: T) => Promise<void>): (given: T) => void {
  let waiting: { given: T } | null = null;
  let busy = false;
  const go = async (): Promise<void> => {
    busy = true;
    while (waiting) {
      const { given } = waiting;
      waiting = null;
      try {
        await work(given);
      } catch (error) {
        console.warn(error);
      }
    }
    busy = false;
  };
  return (given) => {
    waiting = { given };
    if (!busy) void go();
  };
}
