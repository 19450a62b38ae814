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

export const still = matchMedia('(prefers-reduced-motion: reduce)');

export function failed(error: unknown): void {
  console.error(error);
  tell(error instanceof Error ? error.message : String(error));
}

export function tell(text: string): void {
  el('status').textContent = text;
}
