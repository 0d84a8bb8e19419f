import { Connection } from './connection.js';
import { Details } from './details.js';
import { byId, visible } from './elements.js';
import { Store } from './store.js';
import { summary } from './summary.js';
import { Tabs } from './tabs.js';
import { viewsOf } from './views.js';

/** Ages are drawn anew this often. */
const TICK_MS = 1000;

const store = new Store();
const search = byId('search');
const help = byId('help');
const details = new Details(store);
const connection = new Connection(store, ({ name, hasQueues, plans }) => {
  byId('fleet').textContent = visible(name);
  document.title = `${visible(name)} · fleet`;
  byId('queues').hidden = !hasQueues;
  byId('rebalance').hidden = !plans.includes('rebalance');
  details.plans = plans;
});
const tabs = new Tabs(viewsOf(store), details);

let isDue = false;
/** Draws everything before the next frame, at most once. */
function draw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    byId('content').hidden = store.isEmpty;
    byId('summary').replaceChildren(...summary(store).filter(Boolean));
    tabs.update();
    details.draw();
  });
}

store.addEventListener('change', draw);
setInterval(() => {
  if (document.hidden || store.isEmpty) return;
  tabs.table.draw();
  details.draw();
}, TICK_MS);

search.addEventListener('input', () => tabs.search(search.value));
search.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' || event.key === 'Enter') {
    event.preventDefault();
    tabs.table.focus();
  } else if (event.key === 'Escape') {
    search.value = '';
    tabs.search('');
    tabs.table.focus();
  }
});

byId('summary').addEventListener('click', ({ target: { dataset } }) => {
  if (dataset.kind) details.open(dataset.kind, dataset.key);
});
byId('rebalance').addEventListener('click', ({ currentTarget }) =>
  details.openRebalance(currentTarget),
);
const showTheme = () => {
  byId('theme').textContent = document.documentElement.dataset.theme;
};
showTheme();
const changeTheme = () => {
  window.nextTheme();
  showTheme();
};
byId('theme').addEventListener('click', changeTheme);
byId('keys').addEventListener('click', () => help.showModal());
byId('close-help').addEventListener('click', () => help.close());

const keys = {
  '/': () => search.focus(),
  '?': () => help.showModal(),
  t: changeTheme,
  r: () => details.openRebalance(tabs.table.element),
  Escape: () => details.close(),
};
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target instanceof HTMLInputElement || event.defaultPrevented) return;
  if (/^[1-5]$/.test(event.key)) {
    tabs.show(Number(event.key));
    tabs.table.focus();
  } else if (keys[event.key] && !(event.key === 'Escape' && !details.isOpen)) keys[event.key]();
  else return;
  event.preventDefault();
});

connection.begin();
