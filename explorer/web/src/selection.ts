// The selected images: a grid, what sets them apart, labels, and a table to take away.
import type { App } from './app';
import { tinted } from './colour';
import { failed, h, refocused, save, tell } from './dom';
import { asked, source } from './data';
import { thumbs } from './thumbs';

const SHOWN = 200;
const SHARES = 8; // names whose shares are shown

export function selectionView(app: App): HTMLElement {
  const view = h('div');
  const label = h('input', { type: 'text', id: 'label', maxlength: 200, placeholder: 'a label', 'aria-label': 'label for the selected images' });
  const order = h('select', { id: 'order', change: () => fill() },
    h('option', { value: 'middle' }, 'the middle first'), h('option', { value: 'edge' }, 'the edge first'), h('option', { value: 'row' }, 'as in the set'));

  const copied = h('p', { class: 'quiet', id: 'copied' });
  async function copy(images: number[]): Promise<void> {
    tell('copying');
    const found = (await (await asked('copies', { images })).json()) as { folder: string; count: number };
    copied.textContent = `${found.count.toLocaleString('en')} images were copied into ${found.folder}`;
    tell('copied');
  }

  function fill(): void {
    const images = app.selected;
    if (!images.length) {
      view.replaceChildren(h('p', { class: 'quiet' }, 'Select images with the lasso or the box on the map, or with Shift and drag; the key S selects all visible images.'));
      return;
    }
    const shown = sorted(app, images, order.value).slice(0, SHOWN);
    view.replaceChildren(
      h('p', { id: 'selected' }, h('strong', {}, images.length.toLocaleString('en')), ` of ${app.dataset.count.toLocaleString('en')} images`),
      h('div', { class: 'row' },
        h('button', { type: 'button', class: 'main', click: () => save('selection.csv', table(app, images), 'text/csv') }, 'Export CSV'),
        ...(source.live ? [
          h('button', { type: 'button', click: () => void parquet(app, images).catch(failed) }, 'Export Parquet'),
          h('button', { type: 'button', id: 'copy', click: () => void copy(images).catch(failed) }, 'Copy files'),
        ] : []),
        h('button', { type: 'button', click: () => app.select([]) }, 'Clear')),
      copied,
      h('form', { class: 'row', submit: (event: Event) => { event.preventDefault(); void app.give(app.selected, label.value.trim()).catch(failed); } },
        label, h('button', { type: 'submit' }, 'Label'), h('button', { type: 'button', click: () => void app.undo().catch(failed) }, 'Undo')),
      h('p', { class: 'quiet' }, source.live ? 'Labels are saved next to the run at once. The key U removes the last one.' : 'Labels are lost when this page is closed: export them as CSV.'),
      ...apart(app, images),
      h('div', { class: 'row' }, h('label', { for: 'order' }, 'Images'), order),
      thumbs(app, shown),
      images.length > SHOWN ? h('p', { class: 'quiet' }, `The first ${SHOWN} are shown.`) : '',
    );
  }
  app.on('select', () => {
    copied.textContent = '';
    refocused(view, fill);
  });
  fill();
  return view;
}

function sorted(app: App, images: number[], order: string): number[] {
  if (order === 'row' || !app.dataset.about.codeSize) return [...images].sort((a, b) => a - b);
  const means = app.dataset.codes.map((column) => images.reduce((sum, image) => sum + column[image], 0) / images.length);
  const far = new Map(images.map((image) => [image, app.dataset.codes.reduce((sum, column, at) => sum + (column[image] - means[at]) ** 2, 0)]));
  const sign = order === 'edge' ? -1 : 1;
  return [...images].sort((a, b) => sign * ((far.get(a) ?? 0) - (far.get(b) ?? 0)));
}

/** What sets the selected images apart: how often each name of the shown column is among them and among the others; means. */
function apart(app: App, images: number[]): HTMLElement[] {
  const column = app.column?.kind === 'category' ? app.column : app.dataset.columns.find((one) => one.kind === 'category');
  const chosen = new Set(images);
  const others = app.dataset.count - images.length;
  const head = (first: string): HTMLElement => h('tr', {}, h('th', { scope: 'col' }, first), ...['selected', 'the others'].map((one) => h('th', { scope: 'col', class: 'n' }, one)));
  const found: HTMLElement[] = [];
  if (column?.values) {
    const counts = new Map<number, [number, number]>();
    for (let image = 0; image < column.data.length; image++) {
      const both = counts.get(column.data[image]) ?? [0, 0];
      both[chosen.has(image) ? 0 : 1]++;
      counts.set(column.data[image], both);
    }
    const share = (count: number, all: number): string => (all ? `${Math.round((100 * count) / all)}%` : '–');
    const rows = [...counts].filter(([, [inside]]) => inside).sort(([, [a]], [, [b]]) => b - a).slice(0, SHARES);
    found.push(h('table', {}, head(column.name), ...rows.map(([number, [inside, outside]]) => {
      const bar = h('b');
      bar.style.width = share(inside, images.length);
      tinted(bar, number);
      return h('tr', {}, h('th', { scope: 'row' }, column.values?.[number] ?? 'none', h('span', { class: 'bar' }, bar)),
        h('td', { class: 'n' }, share(inside, images.length)), h('td', { class: 'n' }, share(outside, others)));
    })));
  }
  const rows = app.dataset.columns.filter((one) => one.kind === 'number').map((one) => {
    let [inside, outside] = [0, 0];
    for (let image = 0; image < one.data.length; image++) {
      if (chosen.has(image)) inside += one.data[image];
      else outside += one.data[image];
    }
    return h('tr', {}, h('th', { scope: 'row', title: one.words ?? '' }, one.name),
      h('td', { class: 'n' }, (inside / images.length).toPrecision(3)), h('td', { class: 'n' }, others ? (outside / others).toPrecision(3) : '–'));
  });
  return rows.length ? [...found, h('table', {}, head('mean'), ...rows)] : found;
}

async function parquet(app: App, images: number[]): Promise<void> {
  save('selection.parquet', await (await asked('table', { images })).arrayBuffer(), 'application/vnd.apache.parquet');
}

/** The images as CSV: name, columns, code. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function table(app: App, images: number[]): string {
  const { columns, codes, names } = app.dataset;
  const cell = (text: string): string => {
    const safe = /^\s*[=+\-@]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const head = ['name', ...columns.map((one) => one.name), 'your label', ...codes.map((_, at) => `c${at}`)];
  const rows = images.map((image) => [
    names[image],
    ...columns.map((one) => (one.kind === 'category' ? (one.values?.[one.data[image]] ?? '') : String(one.data[image]))),
    app.labels[names[image]] ?? '',
    ...codes.map((column) => String(column[image])),
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
