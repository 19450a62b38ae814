// A pad to draw an image on: it is placed and decoded while it is drawn.
import type { App } from './app';
import { placed } from './drop';
import { h } from './dom';
import { latest } from './networks';

const SIDE = 280; // pixels of the longer side of the pad, at least

export function pad(app: App): HTMLElement {
  const [channels, height, width] = app.dataset.about.shape;
  const scale = Math.max(1, SIDE / Math.max(width, height));
  const canvas = h('canvas', {
    id: 'pad', class: 'picture', width: Math.round(width * scale), height: Math.round(height * scale), role: 'img', 'aria-label': 'pad to draw on with the pointer',
  });
  const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  const dark = brightness(app) < 0.5;
  const paper = dark ? '#000000' : '#ffffff';
  const ink = h('input', { type: 'color', value: dark ? '#ffffff' : '#000000', 'aria-label': 'colour of the pen' });
  const pen = h('input', { type: 'range', min: 2, max: 24, value: 10, id: 'pen' });
  const look = latest(async (_: void) => { await placed(app, canvas, 'your drawing'); });

  function clear(): void {
    context.fillStyle = paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  function at(event: PointerEvent): [number, number] {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  }
  let last: [number, number] | null = null;
  function stroke(event: PointerEvent): void {
    if (!last) return;
    const now = at(event);
    context.strokeStyle = ink.value;
    context.lineWidth = (Number(pen.value) / 100) * Math.max(canvas.width, canvas.height);
    context.lineCap = context.lineJoin = 'round';
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...now);
    context.stroke();
    last = now;
    look();
  }
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    stroke(event);
  });
  canvas.addEventListener('pointermove', stroke);
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { last = null; });
  clear();
  return h('div', { id: 'drawing', hidden: true },
    h('h2', {}, 'Draw'), canvas,
    h('div', { class: 'row' },
      h('label', { for: 'pen' }, 'Pen'), pen, channels > 1 ? ink : null,
      h('button', { type: 'button', click: () => { clear(); app.look(null); } }, 'Clear')));
}

/** The mean brightness of the images, which says what colour a drawing's paper has. */
function brightness(app: App): number {
  const values = app.dataset.column('brightness')?.data ?? [0];
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at];
  return sum / values.length;
}
