// An image of one's own: encoded, placed on the map, reconstructed.
import type { App } from './app';
import { tell } from './dom';

const LARGEST = 50_000_000; // bytes of a file

export function takesImages(app: () => App | null, taken: () => void): (file: File) => Promise<void> {
  const take = async (file: File): Promise<void> => {
    const now = app();
    if (!now?.networks) return tell('the networks are not there yet');
    if (file.size > LARGEST) return tell(`${file.name} is too large for an image`);
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      return tell(`${file.name} is no image that this browser reads`);
    }
    const pixels = conformed(bitmap, now);
    const [channels, height, width] = now.dataset.about.shape;
    const code = await now.networks.encode(planes(pixels, channels));
    const near = await now.networks.nearest(code, 1);
    now.look({ image: -1, pixels: resized(pixels, width, height), name: file.name, code });
    if (now.map) now.scene.mark = now.map.placeOf(code, near.images[0]);
    now.scene.draw();
    taken();
    tell(`${file.name} lies at the mark`);
  };
  const files = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  document.addEventListener('dragover', (event) => {
    if (!files(event)) return;
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) document.body.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    const file = event.dataTransfer?.files[0];
    if (file) void take(file);
  });
  document.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0];
    if (file) void take(file);
  });
  return take;
}

/** The picture at the size of the run's images, cut, filled up or stretched as they were. */
function conformed(bitmap: ImageBitmap, app: App): ImageData {
  const [, height, width] = app.dataset.about.shape;
  const context = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  const { fit } = app.dataset.about;
  const [x, y] = [width / bitmap.width, height / bitmap.height];
  const scale = fit === 'pad' ? Math.min(x, y) : Math.max(x, y);
  const [w, h] = fit === 'stretch' ? [width, height] : [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
  return context.getImageData(0, 0, width, height);
}

function resized(pixels: ImageData, width: number, height: number): ImageData {
  return pixels.width === width && pixels.height === height ? pixels : new ImageData(width, height);
}

/** Red, green, blue, alpha -> the channels of the run, one after another, from 0 to 1. */
function planes({ data, width, height }: ImageData, channels: number): Float32Array {
  const area = width * height;
  const found = new Float32Array(channels * area);
  for (let at = 0; at < area; at++) {
    const [r, g, b] = data.subarray(4 * at, 4 * at + 3);
    for (let channel = 0; channel < channels; channel++) {
      const value = channels === 1 ? 0.299 * r + 0.587 * g + 0.114 * b : [r, g, b][Math.min(channel, 2)];
      found[channel * area + at] = value / 255;
    }
  }
  return found;
}
