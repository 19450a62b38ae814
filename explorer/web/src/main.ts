// The page: loads the set, connects its parts, and keeps the view in the address.
import * as address from './address';
import { App, YOURS } from './app';
import { betweenView, FILM } from './between';
import { classesView } from './classes';
import { BY_YOURS } from './classify';
import { onTheme } from './colour';
import { Dataset, source, Sprites, type ServerState } from './data';
import { el, failed, h, show, tell } from './dom';
import { takesImages } from './drop';
import { decodedGrid } from './grid';
import { inspectView } from './inspect';
import { legend } from './legend';
import { latest, Networks } from './networks';
import { PlacedMap } from './plane';
import { Pointer, type Tool } from './pointer';
import { evenly, imagesWithin, packed, unpacked, type Region } from './region';
import { Scene, type Path } from './scene';
import { selectionView } from './selection';
import { slidersView } from './sliders';
import { Tabs } from './tabs';
import { toolbar } from './toolbar';

let app: App | null = null;
let tabs: Tabs | null = null;
let ready: (networks: boolean) => void = () => {};
let scene: Scene | null = null;
const layers = el('layers');

const choice = (id: string): HTMLSelectElement => el<HTMLSelectElement>(id);
const grids = (): boolean => el<HTMLInputElement>('grid-choice').checked;

function options(select: HTMLSelectElement, names: [string, string][], chosen: string | undefined): void {
  select.replaceChildren(...names.map(([value, text]) => h('option', { value }, text)));
  if (names.some(([value]) => value === chosen)) select.value = chosen as string;
}

let restoring = false;
function remember(step = false): void {
  if (!app || !tabs || restoring) return;
  address.write({
    map: choice('map-choice').value, colour: choice('colour-choice').value, pictures: choice('pictures-choice').value,
    grid: grids(), image: app.looked?.image ?? -1, tab: tabs.chosen, hide: [...app.hidden], picks: app.slots, region: app.region, ...app.scene.camera.view,
  }, step);
}

async function chooseMap(): Promise<void> {
  if (!app) return;
  const now = app;
  const number = now.dataset.about.maps.findIndex((one) => one.name === choice('map-choice').value);
  const { title } = now.dataset.about.maps[Math.max(0, number)];
  if (now.map) tell(`${title} is on its way`);
  const map = await PlacedMap.of(now.dataset, Math.max(0, number));
  if (now !== app) return;
  if (now.map) tell(title);
  now.map = map;
  now.scene.path = null;
  now.scene.show(map);
  remark(now);
  refreshGrid();
}

/** Move the mark to where its code lies on the map that is shown now. */
function remark(now: App): void {
  const { code, networks } = now;
  if (!now.scene.mark) return;
  now.scene.mark = null;
  if (!code || !networks) return;
  networks.nearest(code, 1).then(({ images }) => {
    if (now !== app || now.code !== code || !now.map) return;
    now.scene.mark = now.map.placeOf(code, images[0]);
    now.scene.draw();
  }).catch(failed);
}

async function chooseColour(hide: number[] = []): Promise<void> {
  if (!app) return;
  const now = app;
  const name = choice('colour-choice').value;
  const waits = now.dataset.waits(name);
  if (waits) tell(`${name} is being computed`);
  const column = name === YOURS ? now.labelled() : await now.dataset.loaded(name);
  if (now !== app || name !== choice('colour-choice').value) return;
  if (waits) tell(`coloured by ${name}`);
  now.column = column;
  now.hidden = new Set(hide);
  paintAll(now);
}

function paintAll(now: App): void {
  legend(now, () => {
    now.paint();
    remember();
  });
  now.paint();
}

let settled = 0;
function refreshGrid(): void {
  clearTimeout(settled);
  settled = window.setTimeout(() => {
    remember();
    fillGrid();
  }, 140);
}
const fillGrid = latest(async (_: void) => {
  const now = app;
  if (!now) return;
  const grid = grids() ? await decodedGrid(now) : null;
  if (now !== app) return;
  now.scene.grid = grid;
  now.scene.draw();
});

/** The picture beside the pointer: the image under it, or what is decoded there. */
const hover = latest(async ({ place, at }: { place: [number, number] | null; at: [number, number] }) => {
  const loupe = el('loupe');
  if (!app?.map || !place) {
    loupe.hidden = true;
    if (app && app.scene.hovered >= 0) {
      app.scene.hovered = -1;
      app.scene.draw();
    }
    return;
  }
  const image = pointer?.imageAt(...at) ?? -1;
  if (image !== app.scene.hovered) {
    app.scene.hovered = image;
    app.scene.draw();
  }
  const canvas = loupe.querySelector('canvas') as HTMLCanvasElement;
  const caption = loupe.querySelector('figcaption') as HTMLElement;
  const code = app.map.codeAt(...place);
  if (image >= 0) {
    show(canvas, await app.pixels(image));
    const category = app.column?.kind === 'category' ? app.column.values?.[app.column.data[image]] : undefined;
    caption.textContent = [app.dataset.titled(image), category].filter(Boolean).join(' · ');
  } else if (code && app.networks) {
    show(canvas, (await app.networks.decode(code))[0]);
    caption.textContent = app.map.exact ? 'decoded here' : 'decoded in between';
  } else {
    loupe.hidden = true;
    return;
  }
  if (!app.looked && code && tabs?.chosen === 'image') {
    app.show(code, app.map.exact
      ? 'Decoded at the pointer: this map is linear, so the code there is exact.'
      : 'Decoded at the pointer: a weighted mean of the 12 nearest codes.');
  }
  loupe.hidden = false;
  const { width, height } = app.scene.camera;
  const right = at[0] + 24 + loupe.offsetWidth < width;
  const x = right ? at[0] + 20 : at[0] - 20 - loupe.offsetWidth;
  const y = Math.max(6, Math.min(height - loupe.offsetHeight - 6, at[1] - loupe.offsetHeight / 2));
  loupe.style.transform = `translate(${x}px, ${y}px)`;
});

let pointer: Pointer | null = null;

function connect(now: App): void {
  pointer ??= new Pointer(layers, now.scene, {
    hover: (place, at) => hover({ place, at }),
    pick: (place, image) => void pick(place, image),
    select: (outline) => select(outline),
    film: (path) => {
      if (!app?.map) return;
      app.path = evenly(path, FILM).map((place) => app?.map?.codeAt(...place)).filter((code) => !!code) as Float32Array[];
      if (app.path.length > 1) {
        tabs?.choose('between');
        app.changed('path');
      }
    },
    moved: refreshGrid,
    reset: () => {
      now.scene.camera.view = { x: 0, y: 0, zoom: 1 };
      now.scene.draw();
      refreshGrid();
    },
  });
}

/** Look at an image that was clicked on in a list. */
document.addEventListener('inspect', (event) => {
  void app?.inspect((event as CustomEvent<number>).detail).then(() => {
    remember(true);
    if (tabs?.chosen === 'selection') tabs.choose('image');
  }).catch(failed);
});

async function pick(place: [number, number], image: number): Promise<void> {
  if (!app) return;
  if (image >= 0) await app.inspect(image);
  else {
    app.look(null);
    const code = app.map?.codeAt(...place);
    if (code) {
      app.show(code, app.map?.exact ? 'Decoded at the mark.' : 'Decoded at the mark: a weighted mean of the 12 nearest codes.');
      app.scene.mark = place;
      app.scene.draw();
    }
  }
  remember(true);
  tabs?.choose('image');
}

function select(drawn: Path): void {
  if (!app?.map) return;
  const outline = unpacked(packed(drawn)) ?? drawn; // as a link has it
  const region = { outline, map: choice('map-choice').value, colour: choice('colour-choice').value, hide: [...app.hidden] };
  const found = imagesWithin(region, app.map, app.column);
  app.select(found, region);
  tabs?.choose('selection');
  tell(`${found.length.toLocaleString('en')} ${found.length === 1 ? 'image is' : 'images are'} selected`);
}

/** Select what a link selects, on the map and by the colours that were shown then. */
async function selectAgain(now: App, region: Region | null): Promise<void> {
  if (JSON.stringify(region) === JSON.stringify(now.region)) return;
  const number = now.dataset.about.maps.findIndex((one) => one.name === region?.map);
  if (!region || number < 0) return now.select([]);
  const map = await PlacedMap.of(now.dataset, number);
  const column = region.colour === YOURS ? now.labelled() : await now.dataset.loaded(region.colour);
  if (now === app) now.select(imagesWithin(region, map, column), region);
}

/** Which of many channels are drawn, as worker.ts and the small pictures choose them. */
function drawn(channels: number): string {
  if (channels === 1 || channels === 3) return '';
  return channels === 2 ? '2 channels: red and green' : `${channels} channels, of which 1, ${(channels >> 1) + 1} and ${channels} are drawn`;
}

/** Make the page of a set; what was chosen before stays, where it still can. */
async function open(dataset: Dataset): Promise<void> {
  const before = address.read();
  const { about } = dataset;
  const last = app; // of the same images, when the network had learned less
  const sprites = last?.sprites ?? new Sprites(about.sprites, () => app?.scene.draw());
  last?.networks?.stop();
  scene?.renew(sprites);
  scene ??= new Scene(layers, sprites);
  const now = new App(dataset, sprites, scene);
  app = now;
  if (scene.points.slow) tell('this browser has no WebGL 2: the map is drawn more slowly');
  document.title = `${about.title} · latent space`;
  el('title').textContent = about.title;
  el('subtitle').textContent = [`${about.count.toLocaleString('en')} images`, `${about.shape[1]}x${about.shape[2]}`, drawn(about.shape[0]), about.codeSize ? `codes of ${about.codeSize} ${about.codeSize === 1 ? 'number' : 'numbers'}` : '', ...about.notes].filter(Boolean).join(' · ');
  if (source.live) now.labels = (await (await fetch('labels')).json()) as Record<string, string>;
  options(choice('map-choice'), about.maps.map((one) => [one.name, one.title]), before.map);
  colourChoices(now, before.colour);
  ready(about.networks);
  el<HTMLInputElement>('grid-choice').disabled = !about.networks;
  tabs = new Tabs(el('tabs'), el('views'), [
    ['image', 'Image', inspectView(now)],
    ...(about.networks ? ([['sliders', 'Sliders', slidersView(now)], ['between', 'Between', betweenView(now)]] as [string, string, HTMLElement][]) : []),
    ...(about.codeSize ? ([['classes', 'Classes', classesView(now)]] as [string, string, HTMLElement][]) : []),
    ['selection', 'Selection', selectionView(now)],
  ], before.tab ?? 'image', () => remember());
  now.on('labels', () => {
    colourChoices(now, YOURS);
    void chooseColour().catch(failed);
  });
  now.on('learned', () => {
    colourChoices(now, `predicted${BY_YOURS}`);
    void chooseColour().catch(failed);
  });
  if (before.x !== undefined && before.y !== undefined) scene.camera.view = { x: before.x, y: before.y, zoom: before.zoom ?? 1 };
  now.on('slots', () => remember());
  now.on('select', () => remember(true));
  const coloured = chooseColour(before.hide).catch(failed);
  connect(now);
  await chooseMap();
  await coloured;
  await quietly(async () => {
    if (!last) await selectAgain(now, before.region ?? null);
    else if (last.selected.length) now.select(last.selected); // the outline lay on another map
  });
  requestAnimationFrame(() => performance.mark('map'));
  if (about.networks) {
    const networks = new Networks(dataset);
    await networks.start();
    if (now !== app) return networks.stop();
    now.networks = networks;
    fillGrid();
  }
  const { image = -1, picks = {} } = address.read(); // as they are by now
  if (about.networks) now.pick(picks);
  if (image >= 0 && image < about.count) await now.inspect(image);
  else if (about.density) now.show(Float32Array.from(about.density.mean), 'Move the pointer over the map, or tap it: this is the decoded image of that place.');
  performance.mark('all');
  document.body.dataset.ready = String(about.version);
}

function colourChoices(now: App, chosen: string | undefined): void {
  const shown = [...new Set([...now.dataset.columns.map((one) => one.name), ...Object.keys(now.dataset.about.later)])];
  const names: [string, string][] = shown.map((one) => [one, one]);
  if (Object.keys(now.labels).length) names.push([YOURS, YOURS]);
  options(choice('colour-choice'), [...names, ['', 'one colour']], chosen ?? now.dataset.columns[0]?.name);
}

/** Leave the address as it is meanwhile. */
async function quietly(change: () => Promise<void>): Promise<void> {
  restoring = true;
  try {
    await change();
  } finally {
    restoring = false;
  }
}

/** Bring the view back that the address holds. */
async function restore(): Promise<void> {
  if (!app || !scene || !tabs) return;
  const before = address.read();
  const now = app;
  choice('pictures-choice').value = before.pictures ?? 'auto';
  el<HTMLInputElement>('grid-choice').checked = before.grid ?? false;
  pictures();
  scene.camera.view = { x: before.x ?? 0, y: before.y ?? 0, zoom: before.zoom ?? 1 };
  const [map, colour] = [choice('map-choice'), choice('colour-choice')];
  if (before.colour !== undefined && before.colour !== colour.value) {
    colourChoices(now, before.colour);
    await chooseColour(before.hide);
  } else if (String(before.hide ?? []) !== String([...now.hidden])) {
    now.hidden = new Set(before.hide);
    paintAll(now);
  }
  if (before.map !== undefined && before.map !== map.value) {
    map.value = before.map;
    await chooseMap();
  }
  const image = before.image ?? -1;
  if (image !== (now.looked?.image ?? -1)) {
    if (image >= 0 && image < now.dataset.count) await now.inspect(image);
    else now.look(null);
  }
  await selectAgain(now, before.region ?? null);
  if (JSON.stringify(before.picks ?? {}) !== JSON.stringify(now.slots)) now.pick(before.picks ?? {});
  if (before.tab) tabs.choose(before.tab);
  scene.draw();
  fillGrid();
}

/** While a training goes on: how far it is, and new contents as they come. */
async function follow(): Promise<void> {
  const state = (await (await fetch('state')).json()) as ServerState;
  const { progress } = state;
  const bar = el('progress');
  bar.hidden = !progress;
  if (progress) {
    (bar.querySelector('span') as HTMLElement).textContent = progress.text;
    const value = bar.querySelector('progress') as HTMLProgressElement;
    if (progress.total) [value.max, value.value] = [progress.total, progress.done];
    else value.removeAttribute('value');
  }
  if (app && state.version !== app.dataset.about.version) await open(await Dataset.load());
  if (progress) setTimeout(() => void follow().catch(() => tell('the explorer has ended')), 1000);
}

async function begin(): Promise<void> {
  const before = address.read();
  if (before.pictures) choice('pictures-choice').value = before.pictures;
  el<HTMLInputElement>('grid-choice').checked = before.grid ?? false;
  for (const one of ['map-choice', 'colour-choice']) choice(one).addEventListener('change', () => tell(''));
  choice('map-choice').addEventListener('change', () => void chooseMap().then(() => remember(true)).catch(failed));
  choice('colour-choice').addEventListener('change', () => void chooseColour().then(() => remember(true)).catch(failed));
  choice('pictures-choice').addEventListener('change', () => { pictures(); remember(); });
  el('grid-choice').addEventListener('change', refreshGrid);
  ready = toolbar({
    tool: (tool: Tool) => { if (pointer) pointer.tool = tool; },
    zoom: (factor) => {
      scene?.camera.zoomAt(factor, scene.camera.width / 2, scene.camera.height / 2);
      scene?.draw();
      refreshGrid();
    },
    reset: () => { if (scene) scene.camera.view = { x: 0, y: 0, zoom: 1 }; scene?.draw(); refreshGrid(); },
    open: takesImages(() => app, () => tabs?.choose('image')),
    draw: () => {
      tabs?.choose('image');
      const drawing = document.getElementById('drawing');
      if (!drawing) return tell('the networks are not there yet');
      drawing.hidden = !drawing.hidden;
      if (!drawing.hidden) drawing.scrollIntoView({ block: 'nearest' });
    },
  });
  window.addEventListener('popstate', () => void quietly(restore).catch(failed));
  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.defaultPrevented || (target instanceof HTMLInputElement && target.type === 'text') || target instanceof HTMLSelectElement) return;
    if (key.toLowerCase() === 'u') void app?.undo().catch(failed);
    else document.querySelector('[role=tabpanel]:not([hidden])')?.dispatchEvent(new CustomEvent('key', { detail: key.toLowerCase() }));
  });
  onTheme(() => {
    app?.paint();
    scene?.render();
  });
  await open(await Dataset.load());
  pictures();
  if (source.live) await follow();
}

function pictures(): void {
  if (!scene) return;
  scene.pictures = choice('pictures-choice').value as 'auto' | 'on' | 'off';
  scene.draw();
}

window.addEventListener('unhandledrejection', (event) => failed(event.reason));
void begin().catch(failed);
