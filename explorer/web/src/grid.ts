// A grid of decoded images laid under the map.
import type { App } from './app';
import { joined } from './between';
import type { Grid } from './scene';

const SIDE = 62; // CSS pixels of a cell, about: of the side of a square of its area
const MOST = 300; // cells

/** Decode the middle of each cell of what is seen; null where that cannot be. */
export async function decodedGrid(app: App): Promise<Grid | null> {
  const { camera } = app.scene;
  const { map, networks } = app;
  if (!map || !networks) return null;
  const side = Math.max(SIDE, Math.sqrt((camera.width * camera.height) / MOST));
  const aspect = Math.sqrt(networks.width / networks.height);
  const [across, down] = [side * aspect, side / aspect];
  const [columns, rows] = [Math.ceil(camera.width / across), Math.ceil(camera.height / down)];
  const [x0, y1] = camera.toMap(0, 0);
  const [x1, y0] = camera.toMap(columns * across, rows * down);
  const codes: Float32Array[] = [];
  const strong: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = camera.toMap((column + 0.5) * across, (row + 0.5) * down);
      const code = map.codeAt(x, y);
      if (!code) return null;
      codes.push(code);
      // Far from every image the decoder guesses: such cells are drawn faintly.
      const far = map.nearest(x, y, 1)[0].distance * camera.scale;
      strong.push(Math.max(0.12, Math.min(0.8, 1.1 - far / (1.6 * side))));
    }
  }
  const pictures = await networks.decode(joined(codes));
  const { width, height } = networks;
  const scale = Math.max(1, Math.min(3, Math.round(64 / Math.max(width, height))));
  const picture = document.createElement('canvas');
  [picture.width, picture.height] = [columns * width * scale, rows * height * scale];
  const context = picture.getContext('2d') as CanvasRenderingContext2D;
  const one = new OffscreenCanvas(width, height);
  const small = one.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingEnabled = true;
  pictures.forEach((decoded, at) => {
    small.putImageData(decoded, 0, 0);
    context.globalAlpha = strong[at];
    context.drawImage(one, (at % columns) * width * scale, Math.floor(at / columns) * height * scale, width * scale, height * scale);
  });
  return { x0, y0, x1, y1, picture };
}
