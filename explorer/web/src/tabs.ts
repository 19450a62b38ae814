// Views of which one is shown, as tabs (WAI-ARIA's pattern).
import { h, stepped } from './dom';

export class Tabs {
  chosen = '';

  constructor(list: HTMLElement, place: HTMLElement, private views: [string, string, HTMLElement][], first: string, private changed: () => void) {
    list.replaceChildren(...views.map(([name, title, view]) => {
      view.id = `view-${name}`;
      view.setAttribute('role', 'tabpanel');
      view.setAttribute('aria-labelledby', `tab-${name}`);
      view.tabIndex = 0;
      return h('button', {
        type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `view-${name}`,
        click: () => this.choose(name), keydown: (event: KeyboardEvent) => this.key(event),
      }, title);
    }));
    place.replaceChildren(...views.map(([, , view]) => view));
    this.choose(views.some(([name]) => name === first) ? first : views[0][0]);
  }

  choose(chosen: string): void {
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    for (const [name, , view] of this.views) {
      view.hidden = name !== chosen;
      const tab = document.getElementById(`tab-${name}`) as HTMLElement;
      tab.setAttribute('aria-selected', String(name === chosen));
      tab.tabIndex = name === chosen ? 0 : -1;
      if (name === chosen) view.dispatchEvent(new Event('shown'));
    }
    this.changed();
  }

  private key(event: KeyboardEvent): void {
    const at = stepped(event, this.views.findIndex(([name]) => name === this.chosen), this.views.length);
    if (at < 0) return;
    const [next] = this.views[at];
    this.choose(next);
    document.getElementById(`tab-${next}`)?.focus();
  }
}
