// A slider for each dimension of the code, random draws, and the nearest images.
import type { App } from './app';
import type { Mixture } from './data';
import { failed, frame, h, show, tell } from './dom';
import { latest } from './networks';
import { thumbs } from './thumbs';

interface Dimension { at: number; low: number; high: number; std: number; mean: number }

export function slidersView(app: App): HTMLElement {
  const [, height, width] = app.dataset.about.shape;
  const large = frame(width, height, 'image of the sliders\' code');
  large.classList.add('large');
  const near = h('div');
  const dimensions = app.dataset.codes.map((values, at) => measured(values, at));
  const { ordered } = app.dataset.about; // ordered codes: the first numbers say most
  if (!ordered) dimensions.sort((a, b) => b.std - a.std);
  let code: Float32Array = Float32Array.from(app.dataset.codes, (_, at) => dimensions.find((one) => one.at === at)?.mean ?? 0);

  const decode = latest(async (given: Float32Array) => {
    if (app.networks) show(large, (await app.networks.decode(given))[0]);
  });
  const neighbours = latest(async (given: Float32Array) => {
    if (!app.networks) return;
    const found = await app.networks.nearest(given, 6);
    near.replaceChildren(thumbs(app, found.images));
    if (app.map) app.scene.mark = app.map.placeOf(given, found.images[0]);
    app.scene.draw();
    await new Promise((done) => setTimeout(done, 60));
  });
  const rows = dimensions.map((one) => row(one, (value) => {
    code = code.slice();
    code[one.at] = value;
    app.show(code, 'the code of the sliders');
  }));
  const temperature = h('input', { type: 'range', min: 0, max: 2, step: 0.05, value: 1, id: 'temperature' });
  const density = app.dataset.about.density;
  const draw = async (): Promise<void> => {
    if (!density) return;
    const heat = Number(temperature.value);
    const waits = !app.dataset.fitted;
    if (waits) tell('the density of the codes is being fitted');
    const mixture = await app.dataset.mixture();
    if (waits) tell('');
    app.show(drawn(mixture, heat), `a random draw, temperature ${heat}`);
  };
  const view = h('div', {},
    h('div', { class: 'sticky' }, large),
    h('div', { class: 'row' },
      h('button', { type: 'button', class: 'main', click: () => void draw().catch(failed) }, 'Random draw'),
      h('button', { type: 'button', click: () => app.show(Float32Array.from(density?.mean ?? []), 'the mean code') }, 'Mean'),
    ),
    h('label', { for: 'temperature' }, 'Temperature'), temperature,
    h('p', { class: 'quiet' }, density ? `Samples are drawn from ${density.words}.` : ''),
    h('h2', {}, ordered ? 'Dimensions, in the order of the code' : 'Dimensions, the largest spread first'),
    ...rows.map((one) => one.row),
    h('h2', {}, 'Nearest images'), near,
  );
  app.on('code', () => {
    if (!app.code) return;
    code = app.code;
    rows.forEach((one, at) => one.set(code[dimensions[at].at]));
    if (view.hidden) return;
    decode(code);
    neighbours(code);
  });
  view.addEventListener('shown', () => {
    app.show(code, app.said);
  });
  return view;
}

/** The range that most images use, the 1st to the 99th percentile, and how far they spread. */
function measured(values: Float32Array, at: number): Dimension {
  const step = Math.max(1, Math.floor(values.length / 4000));
  const sample = values.filter((_, place) => place % step === 0).sort();
  const mean = sample.reduce((sum, one) => sum + one, 0) / (sample.length || 1);
  const std = Math.sqrt(sample.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (sample.length || 1));
  const share = (part: number): number => sample[Math.floor(part * (sample.length - 1))] ?? 0;
  return { at, mean, std, low: share(0.01), high: share(0.99) };
}

function row(one: Dimension, changed: (value: number) => void): { row: HTMLElement; set: (value: number) => void } {
  const span = one.high - one.low || 1;
  const [least, most] = [one.low - span / 2, one.high + span / 2];
  const name = `c${one.at}`;
  const input = h('input', { type: 'range', min: least, max: most, step: span / 200, value: one.mean, 'aria-label': `dimension ${one.at}` });
  const output = h('output', {}, one.mean.toFixed(2));
  const used = h('span', { class: 'used', title: `98% of the images: ${one.low.toFixed(2)} to ${one.high.toFixed(2)}` }, input);
  used.style.setProperty('--low', '25%');
  used.style.setProperty('--high', '25%');
  const set = (value: number): void => {
    input.value = String(value);
    output.textContent = value.toFixed(2);
  };
  input.addEventListener('input', () => changed(Number(input.value)));
  return { row: h('div', { class: 'slider' }, h('span', {}, name), used, output), set };
}

/** A code of one of the Gaussians, which is chosen by its weight; `heat` scales how far from its mean. */
function drawn({ weights, means, factors }: Mixture, heat: number): Float32Array {
  let left = Math.random();
  const found = weights.findIndex((weight) => (left -= weight) < 0);
  const one = found < 0 ? weights.length - 1 : found;
  const noise = means[one].map(() => heat * normal());
  return Float32Array.from(means[one], (mean, at) => factors[one][at].reduce((sum, factor, other) => sum + factor * noise[other], mean));
}

function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
