// Small helpers for the page.

type Props = Record<string, string | number | boolean | ((event: never) => void) | undefined>;

/** An element with attributes (functions are listeners) and children; text is text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, props: Props = {}, ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') made.addEventListener(name, value as EventListener);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((one) => one !== null));
  return made;
}

export function el<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** Which of several choices an arrow, Home or End leads to; -1: the key is another. */
export function stepped(event: KeyboardEvent, at: number, count: number): number {
  const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[event.key];
  if (next === undefined) return -1;
  event.preventDefault();
  return (next + count) % count;
}

/** Draw a picture on a canvas, at its own size; CSS enlarges it. */
export function show(canvas: HTMLCanvasElement, picture: ImageData): void {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  (canvas.getContext('2d') as CanvasRenderingContext2D).putImageData(picture, 0, 0);
}

/** A canvas for one picture. */
export function frame(width: number, height: number, label: string): HTMLCanvasElement {
  return h('canvas', { width, height, class: 'picture', role: 'img', 'aria-label': label });
}

export function save(name: string, content: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Change what is in an element, and leave the focus where it was in it: on the control of the same place. */
export function refocused(within: HTMLElement, change: () => void): void {
  const controls = (): HTMLElement[] => Array.from(within.querySelectorAll<HTMLElement>('button, input, select'));
  const at = document.activeElement instanceof HTMLElement ? controls().indexOf(document.activeElement) : -1;
  change();
  if (at < 0 || within.contains(document.activeElement)) return;
  const now = controls().filter((one) => !one.hasAttribute('disabled'));
  (now[Math.min(at, now.length - 1)] ?? within.closest<HTMLElement>('[role=tabpanel]'))?.focus();
}

/** Disable a button while its work goes on; where it had the focus it has it again. */
export async function busy(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  const focused = document.activeElement === button;
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
    if (focused && document.activeElement === document.body) button.focus();
  }
}

export const still = matchMedia('(prefers-reduced-motion: reduce)');

export function failed(error: unknown): void {
  console.error(error);
  tell(error instanceof Error ? error.message : String(error));
}

export function tell(text: string): void {
  el('status').textContent = text;
}
