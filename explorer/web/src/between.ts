// Codes between picked images, A - B + C, and the film of a path on the map.
import type { App, Slot } from './app';
import { frame, h, show, still } from './dom';
import { latest } from './networks';
import { picture } from './thumbs';

const STEPS = 9;
export const FILM = 33; // frames

export function betweenView(app: App): HTMLElement {
  const [, height, width] = app.dataset.about.shape;
  const slots = h('div', { class: 'slots' });
  const strip = h('div', { class: 'strip', tabindex: 0, role: 'group', 'aria-label': 'decoded images from A to B' });
  const film = frame(width, height, 'film');
  film.classList.add('large');
  film.hidden = true;
  const sum = frame(width, height, 'A - B + C');
  const arithmetic = h('div', { hidden: true }, h('h2', {}, 'A − B + C'), sum);
  sum.classList.add('large');
  const kind = h('select', { id: 'between', change: () => refresh() },
    h('option', { value: 'linear' }, 'along a line'), h('option', { value: 'spherical' }, 'along an arc'));
  const play = h('button', { type: 'button', class: 'main', disabled: true, click: () => void run() }, 'Play');
  const said = h('p', { class: 'quiet' }, 'Inspect images and pick them as A and B; or choose the path tool and draw on the map.');
  let codes: Float32Array[] = [];
  let playing = 0;

  const refresh = latest(async (_: void) => {
    slots.replaceChildren(...(['A', 'B', 'C'] as Slot[]).map((slot) => slotOf(app, slot)));
    const { A, B, C } = app.slots;
    playing++;
    film.hidden = true;
    if (!app.networks) return;
    const [a, b, c] = [A, B, C].map((image) => (image === undefined ? null : app.dataset.code(image)));
    codes = a && b ? Array.from({ length: FILM }, (_, at) => mixed(a, b, at / (FILM - 1), kind.value === 'spherical')) : app.path;
    play.disabled = codes.length < 2;
    strip.replaceChildren();
    if (codes.length > 1) {
      const shown = Array.from({ length: STEPS }, (_, at) => codes[Math.round((at / (STEPS - 1)) * (codes.length - 1))]);
      (await app.networks.decode(joined(shown))).forEach((one, at) => {
        const canvas = frame(width, height, `step ${at + 1} of ${STEPS}`);
        show(canvas, one);
        strip.append(canvas);
      });
      said.textContent = a && b ? 'Decoded codes from A to B.' : 'Decoded along the path on the map.';
    }
    arithmetic.hidden = !(a && b && c);
    if (a && b && c) {
      const code = a.map((one, at) => one - b[at] + c[at]);
      show(sum, (await app.networks.decode(code))[0]);
      app.show(code, 'A − B + C');
    }
  });

  async function run(): Promise<void> {
    if (!app.networks || codes.length < 2) return;
    const mine = ++playing;
    const frames = await app.networks.decode(joined(codes));
    film.hidden = false;
    const order = still.matches ? [...frames.keys()] : [...frames.keys(), ...[...frames.keys()].reverse()];
    for (const at of order) {
      if (mine !== playing) return;
      show(film, frames[at]);
      await new Promise((done) => setTimeout(done, 60));
    }
  }
  app.on('slots', () => refresh());
  app.on('path', () => {
    app.slots = {};
    app.scene.picked = [];
    refresh();
    void run();
  });
  refresh();
  return h('div', {},
    slots, h('div', { class: 'row' }, h('label', { for: 'between' }, 'Codes'), kind, play), strip, said, film, arithmetic);
}

function slotOf(app: App, slot: Slot): HTMLElement {
  const image = app.slots[slot];
  const shown = image === undefined ? h('div', { class: 'empty', 'aria-hidden': 'true' }, slot) : picture(app, image);
  const name = image === undefined ? 'not picked' : app.dataset.titled(image);
  return h('figure', {}, shown, h('figcaption', {}, `${slot}: ${name}`));
}

/** A code between two: on the line, or on the arc around the origin (K. Shoemake's slerp, 1985). */
function mixed(a: Float32Array, b: Float32Array, part: number, spherical: boolean): Float32Array {
  const size = (one: Float32Array): number => Math.sqrt(one.reduce((sum, x) => sum + x * x, 0));
  const angle = Math.acos(Math.max(-1, Math.min(1, a.reduce((sum, x, at) => sum + x * b[at], 0) / (size(a) * size(b) || 1))));
  const [u, v] = spherical && Math.sin(angle) > 1e-4
    ? [Math.sin((1 - part) * angle) / Math.sin(angle), Math.sin(part * angle) / Math.sin(angle)]
    : [1 - part, part];
  return a.map((x, at) => u * x + v * b[at]);
}

export function joined(codes: Float32Array[]): Float32Array {
  const size = codes[0].length;
  const all = new Float32Array(codes.length * size);
  codes.forEach((code, at) => all.set(code, at * size));
  return all;
}
