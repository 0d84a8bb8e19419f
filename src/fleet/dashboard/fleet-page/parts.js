import { element } from './elements.js';

/** Longer lists are cut. */
const MAX_ITEMS = 100;

/** What the panel begins with: of what kind something is, its name, and a button that closes the panel. */
export function title(kind, name) {
  const close = element(
    'button.close',
    { type: 'button', title: 'Close (Esc)', ariaLabel: 'Close' },
    '×',
  );
  return element('header', {}, element('h2', {}, element('small', {}, kind), name), close);
}

/** Names and values; what is empty is left out. */
export function facts(all) {
  const known = Object.entries(all).filter(([, value]) => value !== undefined && value !== '');
  return element(
    'dl',
    {},
    known.map(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  );
}

/** A list with its name; none if it is empty. */
export function list(name, all, item) {
  if (all.length === 0) return undefined;
  const items = all.slice(0, MAX_ITEMS).map((one) => element('li', {}, item(one)));
  const more =
    all.length > MAX_ITEMS
      ? element('li.more', {}, `and ${all.length - MAX_ITEMS} more`)
      : undefined;
  return [
    element('h3', {}, `${name} `, element('small', {}, String(all.length))),
    element('ul', {}, items, more),
  ];
}

/** A button that opens the details of something. */
export function link(kind, key, text) {
  return element('button.link', { type: 'button', dataset: { kind, key } }, text);
}

/** A line that says more. */
export function note(text) {
  return element('span.note', {}, text);
}
