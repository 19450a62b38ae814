// The buttons on the map: what dragging does, zoom, and an image of one's own.
import { el, h, stepped } from './dom';
import type { Tool } from './pointer';

const DECODE = 3; // the tool that draws with the decoder

interface Wishes {
  tool(tool: Tool): void;
  zoom(factor: number): void;
  reset(): void;
  open(file: File): Promise<void>;
  draw(): void;
}

const TOOLS: [Tool, string, string][] = [
  ['move', 'Move the map', 'M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3'],
  ['lasso', 'Select by a lasso (Shift and drag)', 'M8 17C4 16 3 12 4 9c2-4 7-5 11-4s6 5 5 8-6 5-10 4.5c-2 0-3 .5-3 2s1 2 2 1.500'],
  ['box', 'Select by a box (Shift, Alt and drag)', 'M4 6h16v12H4z'],
  ['path', 'Decode along a path (Alt and drag)', 'M4 19c4 0 3-7 7-7s4-7 9-7M4 19h.01M20 5h.01'],
];

/** The toolbar; what it returns says whether there are networks, which some of its buttons take. */
export function toolbar(wishes: Wishes): (networks: boolean) => void {
  const place = el('tools');
  const buttons = TOOLS.map(([, title, drawn], at) => button(title, drawn, () => choose(at)));
  const check = (chosen: number): void => buttons.forEach((one, at) => {
    one.setAttribute('aria-checked', String(at === chosen));
    one.tabIndex = at === chosen ? 0 : -1;
  });
  function choose(at: number): void {
    check(at);
    wishes.tool(TOOLS[at][0]);
  }
  buttons.forEach((one, at) => {
    one.setAttribute('role', 'radio');
    one.addEventListener('keydown', (event) => {
      const next = stepped(event, at, buttons.filter((other) => !other.disabled).length);
      if (next < 0) return;
      choose(next);
      buttons[next].focus();
    });
  });
  check(0);
  place.append(...buttons);
  const file = h('input', { type: 'file', accept: 'image/*', hidden: true, 'aria-label': 'an image of your own' });
  file.addEventListener('change', () => {
    const [given] = file.files ?? [];
    if (given) void wishes.open(given);
    file.value = '';
  });
  const own = [
    button('Add an image of your own', 'M12 16V5M8 9l4-4 4 4M5 19h14', () => file.click()),
    button('Draw an image', 'M4 20l1-5L16 4l4 4L9 19zM14 6l4 4', () => wishes.draw()),
  ];
  el('zooms').append(
    button('Zoom in', 'M12 5v14M5 12h14', () => wishes.zoom(1.5)),
    button('Zoom out', 'M5 12h14', () => wishes.zoom(1 / 1.5)),
    button('Show all', 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5', () => wishes.reset()),
    ...own, file,
  );
  return (networks) => {
    for (const one of [buttons[DECODE], ...own]) {
      const title = one.getAttribute('aria-label') as string;
      one.disabled = !networks;
      one.title = networks ? title : `${title}: once the training has ended`;
    }
  };
}

function button(title: string, drawn: string, click: () => void): HTMLButtonElement {
  const made = h('button', { type: 'button', title, 'aria-label': title, click });
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', drawn);
  picture.append(path);
  made.append(picture);
  return made;
}
