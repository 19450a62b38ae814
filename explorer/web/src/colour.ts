// Colours of points: one for each name of a category, or a scale for numbers.
import type { Column } from './data';

type RGB = [number, number, number];

// For many names the hue goes on by the golden angle.
const NAMED = ['#5b8ff9', '#f6bd16', '#f2637b', '#3dc9b0', '#5ad864', '#ff9d6c', '#a97bff', '#8fc7ff', '#d68a57', '#b9c0cc'];
// Magma without its blackest end (Nathaniel Smith and Stéfan van der Walt, CC0).
const SCALE: RGB[] = [
  [74, 32, 121], [114, 40, 129], [157, 52, 127], [200, 65, 116], [236, 93, 98], [252, 138, 98], [254, 187, 129], [252, 244, 182],
];
export const NONE: RGB = [128, 134, 145];

function ofHex(text: string): RGB {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const print = matchMedia('print');
let printing = false;
export const onPaper = (): boolean => printing;
const light = (): boolean => printing || !dark.matches;

/** What is to be painted anew when the page becomes dark or light; it is light on paper. */
export function onTheme(paint: () => void): void {
  const changed = (isPrinting: boolean): void => {
    printing = isPrinting;
    for (const one of document.querySelectorAll<HTMLElement>('[data-colour]')) tinted(one, Number(one.dataset.colour));
    paint();
  };
  dark.addEventListener('change', () => changed(print.matches));
  print.addEventListener('change', () => changed(print.matches));
  window.addEventListener('beforeprint', () => changed(true));
  window.addEventListener('afterprint', () => changed(false));
}

/** The colour of lines. */
export const ink = (): string => (light() ? '#16191f' : '#e9ecf1');

/** Give an element the colour of a name, in the dark and on paper. */
export function tinted(one: HTMLElement, number: number): void {
  one.dataset.colour = String(number);
  one.style.background = css(named(number));
}

/** On white paper colours are darker. */
const seen = (rgb: RGB): RGB => (!light() ? rgb : (rgb.map((one) => Math.round(one * 0.8)) as RGB));

export function named(number: number): RGB {
  if (number < 0) return NONE;
  if (number < NAMED.length) return seen(ofHex(NAMED[number]));
  const hue = (number * 137.508) % 360;
  const part = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (0.62 - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return seen([part(0), part(8), part(4)]);
}

/** The colour of a value from 0 to 1. */
export function scaled(value: number): RGB {
  const place = Math.max(0, Math.min(1, value)) * (SCALE.length - 1);
  const from = Math.min(SCALE.length - 2, Math.floor(place));
  return SCALE[from].map((one, at) => Math.round(one + (SCALE[from + 1][at] - one) * (place - from))) as RGB;
}

export const css = ([r, g, b]: RGB): string => `rgb(${r} ${g} ${b})`;

/** The 2nd and the 98th percentile of a column of numbers: its scale runs between them. */
export function range(values: ArrayLike<number>): [number, number] {
  const sample: number[] = [];
  const step = Math.max(1, Math.floor(values.length / 5000));
  for (let at = 0; at < values.length; at += step) if (Number.isFinite(values[at])) sample.push(values[at]);
  sample.sort((a, b) => a - b);
  const at = (share: number): number => sample[Math.floor(share * (sample.length - 1))] ?? 0;
  const [low, high] = [at(0.02), at(0.98)];
  return high > low ? [low, high] : [low, low + 1];
}

/** The colour of every image by a column. */
export function colours(column: Column | undefined, count: number): Uint8Array {
  const found = new Uint8Array(count * 4);
  const [low, high] = column?.kind === 'number' ? range(column.data) : [0, 1];
  for (let at = 0; at < count; at++) {
    const value = column ? column.data[at] : 0;
    const rgb = !column ? named(0) : column.kind === 'category' ? named(value) : scaled((value - low) / (high - low));
    found.set(rgb, 4 * at);
    found[4 * at + 3] = 255;
  }
  return found;
}
