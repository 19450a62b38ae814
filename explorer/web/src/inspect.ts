// The view of one place or one image.
import type { App, Looked, Slot } from './app';
import { chances } from './classify';
import { tinted } from './colour';
import type { ClassifierAbout } from './data';
import { frame, h, show } from './dom';
import { latest } from './networks';
import { pad } from './pad';
import { thumbs } from './thumbs';

const NEIGHBOURS = 12;
const LIKELIEST = 3; // classes whose probabilities are shown

export function inspectView(app: App): HTMLElement {
  const view = h('div');
  const [, height, width] = app.dataset.about.shape;
  const large = frame(width, height, 'decoded image');
  large.classList.add('large');
  large.id = 'decoded';
  large.hidden = true; // until something is decoded
  const said = h('p', { class: 'quiet' }, app.dataset.about.networks ? 'The networks are being exported; the first time this takes some seconds.' : 'Images are decoded here when the training has ended.');
  const details = h('div');
  if (app.dataset.about.networks) view.append(pad(app));
  view.append(large, said, details);

  const decode = latest(async (code: Float32Array) => {
    if (!app.networks) return;
    const [picture] = await app.networks.decode(code);
    show(large, picture);
    large.hidden = false;
  });
  app.on('code', () => {
    if (!app.code || !app.networks) return;
    said.textContent = app.said;
    decode(app.code);
  });
  app.on('inspect', () => {
    details.replaceChildren();
    if (app.looked) void fill(app, app.looked, details);
  });
  return view;
}

async function fill(app: App, looked: Looked, to: HTMLElement): Promise<void> {
  const { width, height } = looked.pixels;
  const original = frame(width, height, `${looked.image < 0 ? looked.name : app.dataset.titled(looked.image)}, as it is`);
  show(original, looked.pixels);
  const made = app.dataset.about.kind === 'dae' ? 'denoised' : 'reconstruction';
  const rebuilt = frame(width, height, made);
  const difference = frame(width, height, 'the difference between the two');
  to.append(
    h('h2', {}, looked.image < 0 ? 'Your image' : 'Image'),
    h('div', { class: 'trio' }, ...([['original', original], [made, rebuilt], ['difference', difference]] as const)
      .slice(0, app.dataset.about.networks ? 3 : 1)
      .map(([name, canvas]) => h('figure', {}, canvas, h('figcaption', { title: name === 'difference' ? 'warm: the second is brighter; cold: darker' : name }, name)))),
    facts(app, looked),
  );
  if (looked.image >= 0 && app.dataset.about.networks) to.append(actions(app, looked.image));
  const classes = h('div');
  to.append(classes);
  if (!looked.code.length) return;
  to.append(h('h2', {}, 'Code'), bars(app, looked.code), h('h2', {}, 'Nearest by code'));
  if (!app.networks) return;
  const near = await app.networks.nearest(looked.code, NEIGHBOURS + 1);
  const others = near.images.map((image, at) => ({ image, distance: near.distances[at] }))
    .filter(({ image }) => image !== looked.image).slice(0, NEIGHBOURS);
  if (app.looked !== looked) return;
  to.append(thumbs(app, others.map((one) => one.image), (_, at) => `, distance ${others[at].distance.toFixed(2)}`));
  const [decoded] = await app.networks.decode(looked.code);
  const scaled = await fitted(decoded, width, height);
  show(rebuilt, scaled);
  const [apart, times] = between(looked.pixels, scaled);
  show(difference, apart);
  (difference.nextElementSibling as HTMLElement).textContent = `difference ×${times.toFixed(1)}`;
  const { classifier } = app.dataset.about;
  if (classifier) classes.append(await classesOf(app, classifier, 'Class', looked.code));
  if (app.learned) classes.append(await classesOf(app, app.learned, 'Class by your labels', looked.code));
}

/** The likeliest classes of a code, each with its probability. */
async function classesOf(app: App, about: ClassifierAbout, title: string, code: Float32Array): Promise<HTMLElement> {
  const found = (await chances(about, app.networks, code)) ?? new Float32Array();
  const best = [...found.keys()].sort((a, b) => found[b] - found[a]).slice(0, LIKELIEST);
  const bars = h('div', { class: 'shares' });
  for (const one of best) {
    const bar = h('b');
    bar.style.width = `${100 * found[one]}%`;
    tinted(bar, one);
    bars.append(h('span', {}, about.names[one]), h('span', { class: 'bar' }, bar), h('span', {}, `${(100 * found[one]).toFixed(0)}%`));
  }
  return h('section', { class: 'classes', 'aria-label': title }, h('h2', {}, title), bars);
}

async function fitted(picture: ImageData, width: number, height: number): Promise<ImageData> {
  if (picture.width === width && picture.height === height) return picture;
  const context = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.drawImage(await createImageBitmap(picture), 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Where two pictures differ, warm where the second is brighter, cold where it is darker; and by what that is multiplied. */
function between(a: ImageData, b: ImageData): [ImageData, number] {
  const found = new ImageData(a.width, a.height);
  const sums = new Int16Array(a.width * a.height);
  for (let at = 0; at < sums.length; at++) {
    for (let band = 0; band < 3; band++) sums[at] += b.data[4 * at + band] - a.data[4 * at + band];
  }
  const largest = sums.reduce((most, one) => Math.max(most, Math.abs(one) / 3), 0);
  const times = 255 / Math.max(25, largest);
  for (let at = 0; at < a.data.length; at += 4) {
    const sum = sums[at / 4];
    const value = (Math.abs(sum) / 3) * times;
    found.data.set(sum > 0 ? [value, value * 0.55, value * 0.2, 255] : [value * 0.25, value * 0.6, value, 255], at);
  }
  return [found, times];
}

function facts(app: App, looked: Looked): HTMLElement {
  const list = h('dl', {}, h('dt', {}, 'name'), h('dd', {}, looked.name));
  if (looked.image < 0) return list;
  for (const column of app.dataset.columns) {
    if (/^(predicted|confidence)\b/.test(column.name)) continue; // shown below, with its rivals
    const value = column.data[looked.image];
    const text = column.kind === 'category' ? (column.values?.[value] ?? 'none') : Number(value.toPrecision(4)).toString();
    list.append(h('dt', { title: column.words ?? '' }, column.name), h('dd', {}, text));
  }
  const label = app.labels[looked.name];
  if (label) list.append(h('dt', {}, 'your label'), h('dd', {}, label));
  return list;
}

function actions(app: App, image: number): HTMLElement {
  const put = (slot: Slot): HTMLElement => h('button', { type: 'button', click: () => app.put(slot, image) }, `Pick as ${slot}`);
  return h('div', { class: 'row' }, put('A'), put('B'), put('C'));
}

function bars(app: App, code: Float32Array): HTMLElement {
  const most = Math.max(...code.map(Math.abs), 1e-9);
  const words = `code of ${code.length} ${code.length === 1 ? 'number' : 'numbers'}`;
  return h('div', { class: 'bars', role: 'img', 'aria-label': words }, ...Array.from(code, (value, at) => {
    const bar = h('b');
    const share = (50 * Math.abs(value)) / most;
    bar.style.height = `${share}%`;
    bar.style.top = `${value > 0 ? 50 - share : 50}%`;
    return h('i', { title: `c${at}: ${value.toFixed(3)}` }, bar);
  }));
}
