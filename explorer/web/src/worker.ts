// Runs the networks, and searches the codes, beside the page.
import * as ort from 'onnxruntime-web/wasm';

type Shape = [number, number, number];
interface Start {
  wasm: ArrayBuffer; decoder: ArrayBuffer; encoder: ArrayBuffer; classifier?: ArrayBuffer;
  shape: Shape; size: number; codes: Float32Array[];
}
type Ask =
  | { id: number; do: 'start'; start: Start }
  | { id: number; do: 'decode'; codes: Float32Array }
  | { id: number; do: 'encode'; pixels: Float32Array }
  | { id: number; do: 'classify'; code: Float32Array }
  | { id: number; do: 'nearest'; code: Float32Array; most: number };

const MOST = 64; // codes decoded in one pass

let shape: Shape = [1, 1, 1];
let codes: Float32Array[] = [];
let decoder: ort.InferenceSession | null = null;
let encoder: ort.InferenceSession | null = null;
let classifier: ort.InferenceSession | null = null;
let size = 0;
let encoderFile: ArrayBuffer | null = null;

async function run(session: ort.InferenceSession, data: Float32Array, dims: number[]): Promise<Float32Array> {
  const found = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', data, dims) });
  return found[session.outputNames[0]].data as Float32Array;
}

async function start(given: Start): Promise<void> {
  ort.env.wasm.wasmBinary = given.wasm;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  shape = given.shape;
  codes = given.codes;
  size = given.size;
  encoderFile = given.encoder;
  encoder = null;
  decoder = await ort.InferenceSession.create(new Uint8Array(given.decoder));
  classifier = given.classifier ? await ort.InferenceSession.create(new Uint8Array(given.classifier)) : null;
}

/** Codes, one after another -> pixels, red, green, blue and alpha of each. */
async function decode(given: Float32Array): Promise<Uint8ClampedArray> {
  const count = given.length / size;
  const [channels, height, width] = shape;
  const area = height * width;
  const pixels = new Uint8ClampedArray(count * area * 4);
  const bands = channels === 1 ? [0, 0, 0] : channels === 2 ? [0, 1, -1] : [0, channels >> 1, channels - 1];
  if (!decoder) throw new Error('the decoder is not there yet');
  for (let from = 0; from < count; from += MOST) {
    const many = Math.min(MOST, count - from);
    const values = await run(decoder, given.slice(from * size, (from + many) * size), [many, size]);
    for (let image = 0; image < many; image++) {
      for (let at = 0; at < area; at++) {
        const to = ((from + image) * area + at) * 4;
        for (let band = 0; band < 3; band++) {
          pixels[to + band] = bands[band] < 0 ? 0 : values[(image * channels + bands[band]) * area + at] * 255;
        }
        pixels[to + 3] = 255;
      }
    }
  }
  return pixels;
}

async function encode(pixels: Float32Array): Promise<Float32Array> {
  encoder ??= await ort.InferenceSession.create(new Uint8Array(encoderFile as ArrayBuffer));
  return Float32Array.from(await run(encoder, pixels, [1, ...shape]));
}

async function classify(code: Float32Array): Promise<Float32Array> {
  if (!classifier) throw new Error('this run has no classifier');
  return Float32Array.from(await run(classifier, code, [1, size]));
}

/** The images whose codes are nearest, the nearest first. */
function nearest(code: Float32Array, most: number): { images: number[]; distances: number[] } {
  const count = codes[0]?.length ?? 0;
  const squares = new Float32Array(count);
  codes.forEach((column, at) => {
    const value = code[at];
    for (let image = 0; image < count; image++) squares[image] += (column[image] - value) ** 2;
  });
  const images: number[] = [];
  for (let image = 0; image < count; image++) {
    if (images.length === most && squares[image] >= squares[images[most - 1]]) continue;
    let at = Math.min(images.length, most - 1);
    while (at > 0 && squares[images[at - 1]] > squares[image]) {
      images[at] = images[at - 1];
      at--;
    }
    images[at] = image;
  }
  return { images, distances: images.map((image) => Math.sqrt(squares[image])) };
}

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.do) {
    case 'start': return start(ask.start);
    case 'decode': return decode(ask.codes);
    case 'encode': return encode(ask.pixels);
    case 'classify': return classify(ask.code);
    case 'nearest': return nearest(ask.code, ask.most);
  }
}

let before: Promise<unknown> = Promise.resolve(); // one pass at a time
self.onmessage = (event: MessageEvent<Ask>) => {
  const ask = event.data;
  before = before.then(async () => {
    try {
      self.postMessage({ id: ask.id, found: await answer(ask) });
    } catch (error) {
      self.postMessage({ id: ask.id, error: String(error) });
    }
  });
};
