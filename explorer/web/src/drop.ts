// An image of one's own: encoded, placed on the map, reconstructed.
import type { App } from './app';
import { source } from './data';
import { tell } from './dom';

const LARGEST = 50_000_000; // bytes of a file

export function takesImages(app: () => App | null, taken: () => void): (file: File) => Promise<void> {
  const take = async (file: File): Promise<void> => {
    const now = app();
    if (!now?.networks) return tell('the networks are not there yet');
    if (file.size > LARGEST) return tell(`${file.name} is too large for an image`);
    tell(`${file.name} is being read`);
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      return tell(`${file.name} is no image that this browser reads`);
    }
    await placed(now, bitmap, file.name);
    taken();
    const many = now.dataset.about.shape[0] > 3 ? '; its red, green and blue stand for the first, the middle and the last channels' : '';
    const alone = now.dataset.about.refined && !source.live ? '; its code is not refined, as those of the other images are' : '';
    tell(`${file.name} lies at the mark${many}${alone}`);
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

/** Encode a picture, look at it, and mark its place on the map. */
export async function placed(app: App, picture: ImageBitmap | HTMLCanvasElement, name: string): Promise<void> {
  if (!app.networks) return;
  const pixels = conformed(picture, app);
  if (app.dataset.about.shape[0] === 1) greyed(pixels);
  const code = await app.networks.encode(planes(pixels, app.dataset.about.shape[0]));
  const near = await app.networks.nearest(code, 1);
  app.look({ image: -1, pixels, name, code });
  if (app.map) {
    app.scene.mark = app.map.placeOf(code, near.images[0]);
    app.scene.bring(app.scene.mark);
  }
  app.scene.draw();
}

/** The picture at the size of the run's images, cut, filled up or stretched as they were. */
function conformed(bitmap: ImageBitmap | HTMLCanvasElement, app: App): ImageData {
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

/** Make a picture grey, as a network of one channel sees it. */
function greyed({ data }: ImageData): void {
  for (let at = 0; at < data.length; at += 4) data.fill(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2], at, at + 3);
}

/** Red, green, blue, alpha -> the channels of the run, one after another, from 0 to 1. */
function planes({ data, width, height }: ImageData, channels: number): Float32Array {
  const area = width * height;
  const found = new Float32Array(channels * area);
  for (let at = 0; at < area; at++) {
    const [r, g, b] = data.subarray(4 * at, 4 * at + 3);
    for (let channel = 0; channel < channels; channel++) {
      const value = channels === 1 ? r : [r, g, b][channels > 3 ? Math.round((2 * channel) / (channels - 1)) : channel];
      found[channel * area + at] = value / 255;
    }
  }
  return found;
}
