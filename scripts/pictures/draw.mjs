// Draws the pictures of docs/ from the recorded numbers in docs/data/: npm run pictures.
import { readFileSync, writeFileSync } from 'node:fs';
import { barsChart } from './bars.mjs';
import { drainChart } from './drain.mjs';
import { roundsChart } from './rounds.mjs';
import { timelineChart } from './timeline.mjs';

const docs = new URL('../../docs/', import.meta.url);
const charts = {
  ...{ copies: barsChart, fleet: drainChart },
  ...{ iterate: roundsChart, migrate: timelineChart },
};

/** Records the numbers of a picture, and draws it. */
export function record(name, data) {
  writeFileSync(new URL(`data/${name}.json`, docs), `${JSON.stringify(data, null, 2)}\n`);
  draw(name);
}

function draw(name) {
  const data = JSON.parse(readFileSync(new URL(`data/${name}.json`, docs), 'utf8'));
  writeFileSync(new URL(`${name}.svg`, docs), charts[name](data));
}

if (import.meta.filename === process.argv[1]) for (const name of Object.keys(charts)) draw(name);
