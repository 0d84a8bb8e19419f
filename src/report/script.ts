/**
 * The script of the page, without which all of it can be read: keys, a filter, and what is pointed at. It puts text
 * nowhere but into `textContent`.
 */
export const SCRIPT = `
'use strict';
const filter = document.querySelector('#filter');
const sections = [...document.querySelectorAll('main section')];

filter.addEventListener('input', () => {
  const wanted = filter.value.toLowerCase();
  for (const row of document.querySelectorAll('.row')) {
    row.hidden = wanted !== '' && !row.textContent.toLowerCase().includes(wanted);
  }
});

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === filter) {
    if (event.key !== 'Escape') return;
    filter.value = '';
    filter.dispatchEvent(new Event('input'));
    filter.blur();
  } else if (event.key === '/') {
    event.preventDefault();
    filter.focus();
  } else if (/^[1-9]$/.test(event.key)) {
    const section = sections[Number(event.key) - 1];
    section?.focus();
    section?.scrollIntoView();
  }
});

/** One of the items can be reached by Tab, the others from it by arrow keys. */
function roving(container, selector) {
  const all = () => [...container.querySelectorAll(selector)].filter((item) => item.getClientRects().length > 0);
  const items = all();
  for (const item of items) item.tabIndex = item === items[0] ? 0 : -1;
  container.addEventListener('keydown', (event) => {
    const shown = all();
    const at = shown.indexOf(document.activeElement);
    const to = {
      ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1,
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    shown[to]?.focus();
  });
  container.addEventListener('focusin', (event) => {
    const item = event.target.closest(selector);
    if (!item) return;
    for (const other of container.querySelectorAll(selector + '[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
  });
}

for (const rows of document.querySelectorAll('.rows')) roving(rows, 'summary');

// Chromium moves the focus to an <svg> that listens to it, so that its parent does.
for (const { parentElement: part } of document.querySelectorAll('.treemap')) {
  roving(part, '.cell');
  const detail = part.querySelector('.detail');
  const tell = (event) => {
    const cell = event.target.closest('.cell');
    if (cell) detail.textContent = cell.getAttribute('aria-label');
  };
  part.addEventListener('focusin', tell);
  part.addEventListener('pointerover', tell);
}

for (const graph of document.querySelectorAll('.graph')) {
  const part = graph.parentElement;
  roving(part, '.node');
  const choose = (node) => {
    graph.classList.toggle('chosen', Boolean(node));
    for (const path of graph.querySelectorAll('path')) {
      const isOn = node && (path.dataset.p === node.dataset.p || path.dataset.r === node.dataset.r);
      path.classList.toggle('on', Boolean(isOn));
    }
  };
  for (const name of ['focusin', 'pointerover']) {
    part.addEventListener(name, (event) => choose(event.target.closest('.node')));
  }
  for (const name of ['focusout', 'pointerleave']) part.addEventListener(name, () => choose());
}

// Paper cannot be opened.
let closed = [];
addEventListener('beforeprint', () => {
  closed = [...document.querySelectorAll('main details:not([open])')].slice(0, 50);
  for (const details of closed) details.open = true;
});
addEventListener('afterprint', () => {
  for (const details of closed) details.open = false;
});
`;
