// Classes: labels given one image after another, the ones to give next, and a classifier of them.
import type { App } from './app';
import { asked, source } from './data';
import { busy, failed, h, refocused, tell } from './dom';
import { chances } from './classify';
import { picture } from './thumbs';

const SUGGESTED = 50;
const KEYS = 10; // classes that a digit chooses: 1 to 9, and 0 for the tenth
const BUTTONS = 40; // classes that have a button; others are written

export function classesView(app: App): HTMLElement {
  const view = h('div');
  const shown = h('div', { id: 'queue' });
  const own = h('p', { class: 'quiet' }, app.dataset.about.classifier?.words ?? 'These images have no labels to learn classes from.');
  if (!source.live) {
    view.append(own, h('p', { class: 'quiet' }, 'This page is one file. To get suggestions which images to label, and to train a classifier, open the run with latentspace explore.'));
    return view;
  }
  let queue: number[] = [];
  let at = 0;
  const suggest = h('button', { type: 'button', id: 'suggest', class: 'main', click: () => void next().catch(failed) }, `Suggest ${SUGGESTED} to label`);
  const train = h('button', { type: 'button', id: 'train', click: () => void learn().catch(failed) }, 'Train');
  const words = h('p', { class: 'quiet', id: 'learned' });
  view.append(
    h('h2', {}, 'Label'), h('div', { class: 'row' }, suggest), shown,
    h('h2', {}, 'Classifier of your labels'), h('div', { class: 'row' }, train), words,
    h('h2', {}, 'Classifier of the run'), own,
  );

  async function next(): Promise<void> {
    await busy(suggest, async () => {
      const found = (await (await asked('suggestions', { count: SUGGESTED })).json()) as { images: number[]; words: string };
      [queue, at] = [found.images, 0];
      app.select(queue);
      tell(found.words);
    });
    await step();
  }
  async function learn(): Promise<void> {
    await busy(train, () => app.learn());
  }
  function fill(): void {
    const count = Object.keys(app.labels).length;
    train.textContent = `Train on ${count.toLocaleString('en')} ${count === 1 ? 'label' : 'labels'}`;
    train.disabled = new Set(Object.values(app.labels)).size < 2;
    words.textContent = app.learned?.words ?? 'Label images of at least two classes. It then predicts the class of every image, and suggests those that it is least certain of.';
  }

  /** The names of classes, always in the same order: a digit keeps its class. */
  function names(): string[] {
    const values = app.dataset.column('label')?.values ?? app.dataset.about.classifier?.names ?? [];
    return [...new Set([...values, ...Object.values(app.labels)])];
  }
  async function likeliest(image: number): Promise<string | undefined> {
    if (!app.learned) return undefined;
    const found = await chances(app.learned, app.networks, app.dataset.code(image));
    return found ? app.learned.names[found.indexOf(Math.max(...found))] : undefined;
  }
  async function step(): Promise<void> {
    app.scene.inspected = queue[at] ?? -1;
    app.scene.draw();
    if (!queue.length) return shown.replaceChildren();
    if (at >= queue.length) {
      const said = h('p', { class: 'quiet' }, 'All of them have been shown. Train the classifier, and ask for more.');
      return refocused(shown, () => shown.replaceChildren(said));
    }
    const image = queue[at];
    const likely = await likeliest(image);
    const large = picture(app, image);
    large.classList.add('large');
    const text = h('input', { type: 'text', id: 'class', maxlength: 200, placeholder: 'another class', 'aria-label': 'class of this image' });
    const buttons = names().slice(0, BUTTONS).map((name, place) =>
      h('button', { type: 'button', class: name === likely ? 'likely' : '', title: name === likely ? 'the likeliest' : name, click: () => void give(name) },
        place < KEYS ? h('kbd', {}, String((place + 1) % 10)) : null, ` ${name}`));
    refocused(shown, () => shown.replaceChildren(
      h('p', { class: 'quiet' }, `${at + 1} of ${queue.length}: ${app.dataset.titled(image)}${app.labels[app.dataset.names[image]] ? ` (now ${app.labels[app.dataset.names[image]]})` : ''}`),
      large,
      h('div', { class: 'row' }, ...buttons),
      h('form', { class: 'row', submit: (event: Event) => { event.preventDefault(); if (text.value.trim()) void give(text.value.trim()); } },
        text, h('button', { type: 'submit' }, 'Label')),
      h('div', { class: 'row' },
        h('button', { type: 'button', click: () => void move(-1) }, 'Back'), h('button', { type: 'button', click: () => void move(1) }, 'Skip')),
      h('p', { class: 'quiet' }, 'Keys: a digit labels, X skips, U removes the last label.'),
    ));
  }
  async function give(name: string): Promise<void> {
    try {
      await app.give([queue[at]], name);
    } catch (error) {
      return failed(error);
    }
    await move(1);
  }
  async function move(by: number): Promise<void> {
    at = Math.max(0, Math.min(queue.length, at + by));
    await step();
  }
  view.addEventListener('key', (event) => {
    const key = (event as CustomEvent<string>).detail;
    const buttons = shown.querySelectorAll<HTMLButtonElement>('.row:first-of-type button');
    if (key === 'x' && queue.length) void move(1);
    else if (/^\d$/.test(key)) buttons[(Number(key) + 9) % 10]?.click();
  });
  app.on('undone', () => {
    const place = queue.findIndex((image) => app.undone.includes(app.dataset.names[image]));
    if (place < 0) return;
    at = place;
    void step();
  });
  app.on('labels', fill);
  app.on('learned', fill);
  fill();
  return view;
}
