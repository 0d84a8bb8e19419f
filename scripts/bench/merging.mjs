import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const SETTINGS = { pages_to_scan: '20000', sleep_millisecs: '5', run: '1' };
const LIMIT_MS = 60_000;

const pathOf = (name) => `/sys/kernel/mm/ksm/${name}`;
const read = (name) => readFileSync(pathOf(name), 'utf8').trim();

/** Has the kernel merge equal pages until it is disposed of, which puts the settings back. */
export function mergingOfPages() {
  const before = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, read(name)]));
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) writeFileSync(pathOf(name), value);
  };
  set(SETTINGS);
  return {
    /** Resolves once three more scans of all memory have merged hardly any page, with the counts of pages. */
    async settled() {
      const until = performance.now() + LIMIT_MS;
      let [scans, sharing] = [Number(read('full_scans')), -1];
      while (performance.now() < until) {
        await sleep(200);
        if (Number(read('full_scans')) < scans + 3) continue;
        const now = Number(read('pages_sharing'));
        if (now - sharing < 500) break;
        [scans, sharing] = [Number(read('full_scans')), now];
      }
      return { shared: Number(read('pages_shared')), sharing: Number(read('pages_sharing')) };
    },
    [Symbol.dispose]() {
      set(before);
    },
  };
}
