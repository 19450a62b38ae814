// Small pictures of images as buttons.
import type { App } from './app';
import { frame, h } from './dom';

/** A list of images that are inspected by a click. */
export function thumbs(app: App, images: number[], more: (image: number, at: number) => string = () => ''): HTMLElement {
  const list = h('ul', { class: 'thumbs' });
  const shown = (image: number): void => {
    app.scene.hovered = image;
    app.scene.draw();
  };
  images.forEach((image, at) => {
    const name = `${app.dataset.titled(image)}${more(image, at)}`;
    const { width, height } = app.sprites;
    const canvas = h('canvas', { width, height, class: 'picture', 'aria-hidden': 'true' });
    void draw(app, canvas, image);
    const button = h('button', {
      type: 'button', title: name, 'aria-label': `inspect ${name}`,
      click: () => document.dispatchEvent(new CustomEvent('inspect', { detail: image })),
      mouseenter: () => shown(image), focus: () => shown(image),
      mouseleave: () => shown(-1), blur: () => shown(-1),
    }, canvas);
    list.append(h('li', {}, button));
  });
  return list;
}

/** An image's small picture in a canvas of its own. */
export function picture(app: App, image: number): HTMLCanvasElement {
  const canvas = frame(app.sprites.width, app.sprites.height, app.dataset.titled(image));
  void draw(app, canvas, image);
  return canvas;
}

async function draw(app: App, canvas: HTMLCanvasElement, image: number): Promise<void> {
  await app.sprites.ready(image);
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  if (!app.sprites.draw(context, image, 0, 0, canvas.width, canvas.height)) setTimeout(() => void draw(app, canvas, image), 100);
}
