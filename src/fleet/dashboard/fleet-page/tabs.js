import { byId, element } from './elements.js';
import { number } from './format.js';
import { Table } from './table.js';

/** The kinds of rows that the tables have, as the details call them. */
const KINDS = {
  hosts: 'host',
  workloads: 'workload',
  moves: 'step',
  plans: 'operation',
  history: 'operation',
};

/** The tables, one of which is shown. */
export class Tabs {
  #tabs;
  #panel = byId('panel');
  #shown;

  constructor(views, details) {
    this.#tabs = views.map((view, index) => {
      const table = new Table(view, (key, byKey) => {
        details.open(KINDS[view.id], key, byKey ? table.element : undefined);
      });
      const badge = element('span.count', {}, '');
      const button = element(
        'button',
        {
          ...{ type: 'button', id: `tab-${view.id}`, title: `${view.title} (${index + 1})` },
          attributes: { role: 'tab', 'aria-controls': 'panel' },
        },
        view.title,
        badge,
      );
      button.addEventListener('click', () => this.show(view.id));
      return { view, table, button, badge };
    });
    byId('tabs').append(...this.#tabs.map(({ button }) => button));
    byId('tabs').addEventListener('keydown', (event) => this.#onKey(event));
    this.show(location.hash.slice(1));
  }

  /** Shows a table by its name, or its number from 1; by default the first. */
  show(which) {
    const found = this.#tabs.find(({ view }, index) => view.id === which || index + 1 === which);
    this.#shown = found ?? this.#shown ?? this.#tabs[0];
    const { view, table, button } = this.#shown;
    for (const tab of this.#tabs) {
      tab.button.setAttribute('aria-selected', tab.button === button);
      tab.button.tabIndex = tab.button === button ? 0 : -1;
    }
    this.#panel.setAttribute('aria-labelledby', button.id);
    if (this.#panel.firstChild !== table.element) this.#panel.replaceChildren(table.element);
    if (found) history.replaceState(null, '', `#${view.id}`);
    this.update();
  }

  get table() {
    return this.#shown.table;
  }

  search(text) {
    for (const { table } of this.#tabs) table.search(text);
    this.update();
  }

  /** Draws the table that is shown, and how many rows each has. */
  update() {
    for (const { view, table, button, badge } of this.#tabs) {
      const count =
        button === this.#shown.button ? table.update(view.rows()) : [...view.rows()].length;
      const text = number(view.badge ? view.badge() : count);
      if (badge.textContent !== text) badge.textContent = text;
    }
  }

  #onKey(event) {
    const at = this.#tabs.indexOf(this.#shown);
    const last = this.#tabs.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(this.#tabs[to].view.id);
    this.#shown.button.focus();
  }
}
