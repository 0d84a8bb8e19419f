// Measures how soon programs answer, started by Node and as copies of a template, and how much memory each takes;
// all ways by turns. Prints tables, and with --write-docs puts them into docs/performance.md.
//
// usage: npm run bench:copies [-- REPEATS [APP…]]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, TemplatePool } from '../../dist/index.js';
import { criuPath } from '../criu-path.mjs';
import { document, positionals } from './document.mjs';
import { mergingOfPages } from './merging.mjs';
import { pssOf } from './pss.mjs';
import { measureByTurns, median, pairedRatio, ratioText } from './statistics.mjs';

const PORT = 18_090;
const COUNTS = [1, 4, 16];
const [repeats = '7', ...chosen] = positionals;
const root = new URL('../../', import.meta.url).pathname;
const node = `${root}.cache/node/24/bin/node`;
const cwd = `${root}.cache/bench-apps`;
const next = ['node_modules/next/dist/bin/next', 'start', '-H', '127.0.0.1'];
const apps = {
  'bare http': ['bare.cjs'],
  express: ['express.cjs'],
  'express, typescript, mongodb, S3': ['heavy.cjs'],
  'next.js': next,
};
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
const scratch = mkdtempSync('/var/tmp/node-criu-copies-bench-');
const criu = new Criu({ path: criuPath() });
const COLD = 'started';
const rows = [];
const memory = [];

try {
  for (const [name, args] of Object.entries(apps)) {
    if (chosen.length === 0 || chosen.some((word) => name.includes(word))) {
      await measureApp(name, args);
    }
  }
} finally {
  await criu.close();
  rmSync(scratch, { recursive: true });
}

const times = [
  `| App | At once | ${COLD} | Way | First answer | Compared with ${COLD} |`,
  '| --- | --- | --- | --- | --- | --- |',
  ...rows,
].join('\n');
const sizes = ['| App | Way | Memory of each of 16 |', '| --- | --- | --- |', ...memory].join('\n');
console.log(`${times}\n\n${sizes}`);
document('docs/performance.md', 'bench:copies', `${times}\n\n${sizes}`);

async function measureApp(name, args) {
  const url = `http://127.0.0.1:${PORT}/`;
  const template = await criu.template(node, args, {
    ...{ cwd, env: { ...environment, PORT: String(PORT) }, ready: { url }, warmUp: { url } },
    imagesDirectory: join(scratch, name.replace(/\W/g, '-')),
  });
  const cache = { NODE_COMPILE_CACHE: join(scratch, 'cache') };
  const publish = [{ to: PORT }];
  const copies = (options) => (count) =>
    together(count, () => template.start({ publish, ...options }));
  const ways = {
    [COLD]: (count) => started(count, args),
    'started, compile cache': (count) => started(count, args, cache),
    ...(args[0] === 'bare.cjs' && {
      'started, `--snapshot-blob`': (count) => started(count, ['--snapshot-blob', 'snapshot.blob']),
    }),
    'copy, `lazyPages: false`': copies({ lazyPages: false }),
    copy: copies({}),
    pool: async (count) => {
      const pool = new TemplatePool(template, { size: count, publish });
      await pool.filled();
      // Until the last page has come.
      await sleep(100);
      const { end, ...taken } = await together(count, () => pool.take());
      return { ...taken, end: () => Promise.all([end(), pool.close()]) };
    },
  };
  for (const count of COUNTS) {
    const turns = Math.max(3, Math.round(Number(repeats) / Math.sqrt(count)));
    const values = await measureByTurns(ways, turns, async (way) => {
      const { answered, end } = await way(count);
      await end();
      return answered;
    });
    const base = `${median(values[COLD]).toFixed(0)} ms`;
    for (const [way, all] of Object.entries(values)) {
      if (way === COLD) continue;
      const ratio = ratioText(pairedRatio(all, values[COLD]));
      rows.push(
        `| ${name} | ${count} | ${base} | ${way} | ${median(all).toFixed(1)} ms | ${ratio} |`,
      );
    }
    console.log(rows.slice(-Object.keys(values).length + 1).join('\n'));
  }
  await measureTakes(name, template, publish);
  await measureMemory(name, ways, copies);
}

/** How long `take()` itself takes. */
async function measureTakes(name, template, publish) {
  const pool = new TemplatePool(template, { size: 2, publish });
  const takes = [];
  for (let turn = 0; turn < 20; turn++) {
    await pool.filled();
    await sleep(50);
    const start = performance.now();
    const copy = await pool.take();
    takes.push(performance.now() - start);
    copy.kill('SIGKILL');
    await copy.close();
  }
  await pool.close();
  rows.push(`| ${name} | 1 | – | \`take()\` alone | ${median(takes).toFixed(1)} ms | – |`);
  console.log(rows.at(-1));
}

/** How much memory each of 16 takes once all have answered, and with pages merged. */
async function measureMemory(name, ways, copies) {
  const MERGED = 'copy, `mergeMemory: true`, merged by ksmd';
  const kinds = { [COLD]: ways[COLD], copy: ways.copy, [MERGED]: copies({ mergeMemory: true }) };
  for (const [way, start] of Object.entries(kinds)) {
    const { pids, end } = await start(16);
    // Until the last page has come.
    await sleep(3000);
    const merging = way === MERGED ? mergingOfPages() : undefined;
    const merged = await merging?.settled();
    const sizes = pids.map(pssOf);
    merging?.[Symbol.dispose]();
    await end();
    const mib = `${(median(sizes) / 2 ** 20).toFixed(1)} MiB`;
    const shared = merged
      ? ` (${merged.shared} pages in the place of ${merged.sharing + merged.shared})`
      : '';
    memory.push(`| ${name} | ${way} | ${mib}${shared} |`);
    console.log(memory.at(-1));
  }
}

/** Starts copies at once. Resolves with the time until the last one has answered. */
async function together(count, make) {
  const begin = performance.now();
  const copies = await Promise.all(
    Array.from({ length: count }, async () => {
      const copy = await make();
      await answer(copy.published[0].port);
      return copy;
    }),
  );
  const answered = performance.now() - begin;
  const end = async () => {
    for (const copy of copies) copy.kill('SIGKILL');
    await Promise.all(copies.map((copy) => copy.close()));
  };
  return { answered, pids: copies.map(({ pid }) => pid), end };
}

/** The same with processes of Node. */
async function started(count, args, added = {}) {
  const begin = performance.now();
  const children = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const port = PORT + index;
      const env = { ...environment, ...added, PORT: String(port) };
      const child = spawn(node, args, { cwd, env, stdio: 'ignore' });
      await answer(port);
      return child;
    }),
  );
  const answered = performance.now() - begin;
  const end = async () => {
    const ended = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill();
    await Promise.all(ended);
  };
  return { answered, pids: children.map(({ pid }) => pid), end };
}

/** Asks until there is an answer. */
async function answer(port) {
  for (;;) {
    const isAnswered = await new Promise((resolve) => {
      get({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.resume().once('end', () => resolve(true));
      }).once('error', () => resolve(false));
    });
    if (isAnswered) return;
    await sleep(2);
  }
}
