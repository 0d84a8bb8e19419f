import { element, visible } from './elements.js';

const ROW_HEIGHT = 28;
/** Rows that are drawn above and below what is visible. */
const MARGIN = 6;

let tables = 0;

/**
 * A table of any length: only what is visible has elements. It has the focus itself; its active row moves with the
 * arrow keys and is kept by its key when rows come, go or are sorted anew.
 */
export class Table {
  element;
  #id = `table-${++tables}`;
  #view;
  #spacer;
  #empty;
  #headings;
  #pool = [];
  #rows = [];
  #positions = new Map();
  #activeKey;
  #sort;
  #search = [];
  #open;

  constructor(view, onOpen) {
    this.#view = view;
    this.#open = onOpen;
    this.#sort = view.sort;
    this.#spacer = element('div.rows', { attributes: { role: 'rowgroup' } });
    this.#empty = element('p.empty', {}, view.empty);
    this.#headings = view.columns.map((column) => this.#heading(column));
    const head = element('div.row.head', { attributes: { role: 'row' } }, this.#headings);
    this.element = element(
      'div.table',
      {
        tabIndex: 0,
        attributes: { role: 'grid', 'aria-label': view.title, 'aria-readonly': 'true' },
      },
      head,
      this.#spacer,
      this.#empty,
    );
    this.element.style.setProperty('--columns', view.columns.map(({ width }) => width).join(' '));
    this.element.style.setProperty('--least', view.least);
    this.element.addEventListener('scroll', () => this.draw(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('focus', () => this.#activate(Math.max(0, this.#activeIndex())));
    this.element.addEventListener('click', (event) => this.#onClick(event));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  focus() {
    this.element.focus();
  }

  /** The words that each row must have. */
  search(text) {
    this.#search = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.element.scrollTop = 0;
  }

  /** Takes the rows, sorts and draws them. Returns how many there are. */
  update(rows) {
    const all = [...rows];
    const found =
      this.#search.length === 0
        ? all
        : all.filter((row) => {
            const text = haystack(row, this.#view);
            return this.#search.every((word) => text.includes(word));
          });
    this.#rows = this.#sorted(found);
    this.#positions = new Map(this.#rows.map(({ key }, index) => [key, index]));
    this.#spacer.style.height = `${this.#rows.length * ROW_HEIGHT}px`;
    this.#empty.hidden = this.#rows.length > 0;
    this.#empty.textContent = all.length > 0 ? 'Nothing matches the search.' : this.#view.empty;
    this.element.setAttribute('aria-rowcount', this.#rows.length + 1);
    this.draw();
    return all.length;
  }

  /** Draws the rows that are visible. */
  draw() {
    const { scrollTop, clientHeight } = this.element;
    if (clientHeight === 0) return;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - MARGIN);
    const count = Math.ceil(clientHeight / ROW_HEIGHT) + 2 * MARGIN;
    const shown = this.#rows.slice(first, first + count);
    while (this.#pool.length < shown.length) this.#addRow();
    for (const [index, slot] of this.#pool.entries()) {
      const row = shown[index];
      slot.line.hidden = row === undefined;
      if (row) this.#drawRow(slot, row, first + index);
    }
    this.#markActive();
  }

  #addRow() {
    const cells = this.#view.columns.map(({ align }) =>
      element(align ? `div.cell.${align}` : 'div.cell', { attributes: { role: 'gridcell' } }),
    );
    const line = element(
      'div.row',
      { id: `${this.#id}-${this.#pool.length}`, attributes: { role: 'row' } },
      cells,
    );
    this.#pool.push({ line, cells, drawn: cells.map(() => '') });
    this.#spacer.append(line);
  }

  #drawRow(slot, row, index) {
    const { line, cells, drawn } = slot;
    slot.key = row.key;
    line.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
    line.setAttribute('aria-rowindex', index + 2);
    line.classList.toggle('odd', index % 2 === 1);
    for (const [position, column] of this.#view.columns.entries()) {
      const text = visible(column.text(row) ?? '');
      const look = column.look?.(row) ?? '';
      const part = column.part?.(row) ?? '';
      const now = `${look}|${part}|${text}`;
      if (drawn[position] === now) continue;
      drawn[position] = now;
      const cell = cells[position];
      cell.textContent = text;
      cell.title = text;
      cell.dataset.look = look;
      if (column.part) cell.style.setProperty('--part', part);
    }
  }

  #heading(column) {
    const { id, title, align, hint } = column;
    const button = element('button', { type: 'button', title: hint ?? `Sort by ${title}` }, title);
    button.addEventListener('click', () => {
      const isSame = this.#sort.id === id;
      const isDescending = isSame ? !this.#sort.isDescending : Boolean(column.descends);
      this.#sort = { id, isDescending };
      this.element.scrollTop = 0;
      this.update(this.#view.rows());
    });
    const heading = element(align ? `div.cell.${align}` : 'div.cell', {}, button);
    heading.setAttribute('role', 'columnheader');
    return heading;
  }

  #sorted(rows) {
    const { id, isDescending } = this.#sort;
    const { columns } = this.#view;
    const column = columns.find((one) => one.id === id);
    for (const [index, heading] of this.#headings.entries()) {
      const order = isDescending ? 'descending' : 'ascending';
      heading.setAttribute('aria-sort', columns[index].id === id ? order : 'none');
    }
    const value = column.value ?? column.text;
    const keyed = rows.map((row) => [sortKey(value(row)), row]);
    const sign = isDescending ? -1 : 1;
    keyed.sort(
      ([a, rowA], [b, rowB]) =>
        sign * compare(a, b) || compare(sortKey(rowA.key), sortKey(rowB.key)),
    );
    return keyed.map(([, row]) => row);
  }

  #onKey(event) {
    if (event.target !== this.element) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 1);
    const at = this.#activeIndex();
    const to = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.#rows.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#activate(Math.min(Math.max(to, 0), this.#rows.length - 1));
    } else if (event.key === 'Enter' && this.#rows[at]) {
      event.preventDefault();
      this.#open(this.#rows[at].key, true);
    }
  }

  #onClick({ target }) {
    const line = target.closest('.row');
    const slot = this.#pool.find((each) => each.line === line);
    if (slot?.key === undefined) return;
    this.#activate(this.#positions.get(slot.key) ?? 0);
    this.#open(slot.key, false);
  }

  #activeIndex() {
    return this.#positions.get(this.#activeKey) ?? -1;
  }

  #activate(index) {
    const row = this.#rows[index];
    this.#activeKey = row?.key;
    if (row) {
      const top = index * ROW_HEIGHT;
      const { scrollTop } = this.element;
      // The headings stay above the rows.
      const clientHeight = this.element.clientHeight - ROW_HEIGHT;
      if (top < scrollTop) this.element.scrollTop = top;
      else if (top + ROW_HEIGHT > scrollTop + clientHeight) {
        this.element.scrollTop = top + ROW_HEIGHT - clientHeight;
      }
    }
    this.draw();
  }

  #markActive() {
    let active;
    for (const { line, key } of this.#pool) {
      const isActive = !line.hidden && key === this.#activeKey;
      line.classList.toggle('active', isActive);
      line.setAttribute('aria-selected', isActive);
      if (isActive) active = line;
    }
    if (active) this.element.setAttribute('aria-activedescendant', active.id);
    else this.element.removeAttribute('aria-activedescendant');
  }
}

/** What the words of a search are looked for in. */
function haystack(row, { columns, more }) {
  row.haystack ??= {};
  // Ages change, and nobody looks for them.
  row.haystack[columns[0].id] ??= [
    ...columns.filter(({ isSearched = true }) => isSearched).map(({ text }) => text(row)),
    ...(more?.(row) ?? []),
  ]
    .join('\n')
    .toLowerCase();
  return row.haystack[columns[0].id];
}

/** What a value is compared by. Numbers in texts count as numbers: `web-9` comes before `web-10`. */
function sortKey(value) {
  if (typeof value !== 'string') return value;
  return value.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0'));
}

/** What is absent comes first. Much faster than a collator, which counts with many rows. */
function compare(a, b) {
  if (a === b) return 0;
  if (a === undefined || a === null) return -1;
  if (b === undefined || b === null) return 1;
  return a < b ? -1 : 1;
}
