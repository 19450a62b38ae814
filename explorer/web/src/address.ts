// The view in the address: a link is a view, and back and forward restore one.
import { packed, unpacked, type Region } from './region';

export interface Shown {
  map: string; colour: string; pictures: string; grid: boolean; image: number; x: number; y: number; zoom: number; tab: string;
  hide: number[]; picks: Partial<Record<'A' | 'B' | 'C', number>>; region: Region | null;
}

export function read(): Partial<Shown> {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (name: string): number | undefined => {
    const value = Number(given.get(name) ?? NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  return {
    map: given.get('map') ?? undefined,
    colour: given.get('colour') ?? undefined,
    pictures: given.get('pictures') ?? undefined,
    grid: given.get('grid') === '1',
    image: number('image'),
    x: number('x'),
    y: number('y'),
    zoom: number('zoom'),
    tab: given.get('tab') ?? undefined,
    hide: numbers(given.get('hide')),
    region: region(given),
    picks: Object.fromEntries((['A', 'B', 'C'] as const).map((slot) => [slot, number(slot)]).filter(([, image]) => Number.isInteger(image) && Number(image) >= 0)),
  };
}

const numbers = (text: string | null): number[] => (text ?? '').split('.').filter(Boolean).map(Number).filter(Number.isInteger);

/** What is selected; it names the map and the colours only where others are shown now. */
function region(given: URLSearchParams): Region | null {
  const outline = unpacked(given.get('select') ?? '');
  const of = (name: string): string | null => given.get(`select-${name}`) ?? given.get(name);
  return outline && { outline, map: of('map') ?? '', colour: of('colour') ?? '', hide: numbers(of('hide')) };
}

/** Put a view into the address; a step of its own for what one goes back to. */
export function write(shown: Shown, step: boolean): void {
  const given = new URLSearchParams({
    map: shown.map, colour: shown.colour, pictures: shown.pictures, tab: shown.tab,
    x: shown.x.toFixed(4), y: shown.y.toFixed(4), zoom: shown.zoom.toFixed(3),
  });
  if (shown.grid) given.set('grid', '1');
  if (shown.hide.length) given.set('hide', shown.hide.join('.'));
  if (shown.region) {
    given.set('select', packed(shown.region.outline));
    for (const name of ['map', 'colour', 'hide'] as const) {
      const [then, now] = [shown.region[name], shown[name]].map((one) => (typeof one === 'string' ? one : one.join('.')));
      if (then !== now) given.set(`select-${name}`, then);
    }
  }
  for (const [slot, image] of Object.entries(shown.picks)) given.set(slot, String(image));
  if (shown.image >= 0) given.set('image', String(shown.image));
  const address = `#${given.toString()}`;
  if (address === location.hash) return;
  history[step ? 'pushState' : 'replaceState'](null, '', address);
}
