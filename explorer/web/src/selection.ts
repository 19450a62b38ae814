// The selected images: a grid, what sets them apart, labels, and a table to take away.
import type { App } from './app';
import { css, named } from './colour';
import { failed, h, save, tell } from './dom';
import { asked, source } from './data';
import { thumbs } from './thumbs';

const SHOWN = 200;

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
      view.replaceChildren(h('p', { class: 'quiet' }, 'Select images: Shift and drag on the map draws a lasso, the box tool a box, the key S takes all that is seen.'));
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
      h('p', { class: 'quiet' }, source.live ? 'Labels are kept beside the run at once. The key U takes the last one back.' : 'Labels live in this page alone: export them as CSV.'),
      ...shares(app, images),
      h('div', { class: 'row' }, h('label', { for: 'order' }, 'Images'), order),
      thumbs(app, shown),
      images.length > SHOWN ? h('p', { class: 'quiet' }, `The first ${SHOWN} are shown.`) : '',
    );
  }
  app.on('select', () => {
    copied.textContent = '';
    fill();
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

/** How often each name of the shown column is among the selected images, and among all; means of numbers. */
function shares(app: App, images: number[]): HTMLElement[] {
  const column = app.column?.kind === 'category' ? app.column : app.dataset.columns.find((one) => one.kind === 'category');
  const found: HTMLElement[] = [];
  if (column?.values) {
    const counts = new Map<number, number>();
    for (const image of images) counts.set(column.data[image], (counts.get(column.data[image]) ?? 0) + 1);
    const bars = h('div', { class: 'shares' });
    for (const [number, count] of [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8)) {
      const bar = h('b');
      bar.style.width = `${(100 * count) / images.length}%`;
      bar.style.background = css(named(number));
      bars.append(h('span', {}, column.values[number] ?? 'none'), h('span', { class: 'bar' }, bar), h('span', {}, `${Math.round((100 * count) / images.length)}%`));
    }
    found.push(h('h2', {}, column.name), bars);
  }
  const list = h('dl');
  const mean = (values: ArrayLike<number>, of: number[] | null): number => {
    let sum = 0;
    const count = of ? of.length : values.length;
    for (let at = 0; at < count; at++) sum += values[of ? of[at] : at];
    return sum / count;
  };
  for (const one of app.dataset.columns.filter((column) => column.kind === 'number')) {
    list.append(h('dt', {}, `mean ${one.name}`), h('dd', {}, `${mean(one.data, images).toPrecision(3)}, of all ${mean(one.data, null).toPrecision(3)}`));
  }
  return [...found, list];
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
