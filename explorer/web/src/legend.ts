// The legend of the colours: a click hides the images of a name.
import { YOURS, type App } from './app';
import { css, range, scaled, tinted } from './colour';
import { el, h, refocused } from './dom';

const MOST = 30; // names

export function legend(app: App, changed: () => void): void {
  const place = el('legend');
  const { column } = app;
  place.replaceChildren();
  if (!column) return;
  if (column.kind === 'number') {
    const canvas = h('canvas', { class: 'scale', width: 128, height: 1, role: 'img', 'aria-label': 'scale of colours' });
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    for (let x = 0; x < 128; x++) {
      context.fillStyle = css(scaled(x / 127));
      context.fillRect(x, 0, 1, 1);
    }
    const [low, high] = range(column.data);
    place.append(canvas, h('div', { class: 'ends' }, h('span', {}, low.toPrecision(3)), h('span', {}, column.name), h('span', {}, high.toPrecision(3))));
    if (column.words) place.append(h('p', { class: 'words' }, column.words));
    return;
  }
  const counts = new Map<number, number>();
  for (const number of column.data) counts.set(number, (counts.get(number) ?? 0) + 1);
  const names = column.values ?? [];
  const shown = [...names.keys(), -1].filter((number) => counts.has(number)).slice(0, MOST);
  for (const number of shown) {
    const dot = h('i');
    tinted(dot, number);
    const button = h('button', {
      type: 'button', 'aria-pressed': String(!app.hidden.has(number)), title: 'hide or show; with Alt: this one alone, and all again',
      click: (event: MouseEvent) => {
        const others = [...names.keys(), -1].filter((one) => one !== number && counts.has(one));
        const alone = !app.hidden.has(number) && others.every((one) => app.hidden.has(one));
        if (event.altKey) app.hidden = new Set(alone ? [] : others);
        else if (!app.hidden.delete(number)) app.hidden.add(number);
        refocused(place, () => legend(app, changed));
        changed();
      },
    }, dot, names[number] ?? (column.name === YOURS ? 'no label' : 'none'), h('span', { class: 'n' }, (counts.get(number) ?? 0).toLocaleString('en')));
    place.append(button);
  }
  if (names.length > MOST) place.append(h('p', { class: 'quiet' }, `and ${names.length - MOST} more`));
}
