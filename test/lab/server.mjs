// An HTTP server that can verify its own memory. Each answer to GET / is the previous number plus one;
// GET /verify checks all memory and returns the state; GET /state returns the state without a check.
// It prints 'ready' when it listens.
//
// usage: server.mjs [--port N] [--host ADDRESS] [--heap MIB] [--hot MIB [--rate PAGES|max]] [--worker] [--child]
//                   [--interval MS]
//
// MS is the interval of all timers, 10 ms by default, the shortest reliable one. On an emulated processor
// such timers of a writer, a worker and a child would take most of the time.
//
// The hot set is added to the heap; a thread rewrites it in turn at the given rate of pages per second.
// The content of a page follows from its number and the count of its writes, which is also kept apart.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const PAGE_WORDS = 1024;
const PAGES_PER_MIB = 256;
/** The number of pages that are checked or written before the event loop continues. */
const BATCH = 256;

class Pages {
  constructor(mib) {
    this.count = mib * PAGES_PER_MIB;
    this.words = new Uint32Array(this.count * PAGE_WORDS);
    this.times = new Uint32Array(this.count);
    for (let page = 0; page < this.count; page++) this.write(page);
  }

  write(page) {
    this.times[page] += 1;
    let word = this.#seed(page);
    for (let at = page * PAGE_WORDS, end = at + PAGE_WORDS; at < end; at++) {
      this.words[at] = word;
      word = next(word);
    }
  }

  /** The pages with wrong content. */
  async wrong() {
    const wrong = [];
    for (let page = 0; page < this.count; page++) {
      if (!this.#isRight(page)) wrong.push(page);
      if (page % BATCH === 0) await turn();
    }
    return wrong;
  }

  #isRight(page) {
    let word = this.#seed(page);
    for (let at = page * PAGE_WORDS, end = at + PAGE_WORDS; at < end; at++) {
      if (this.words[at] !== word) return false;
      word = next(word);
    }
    return true;
  }

  #seed(page) {
    return (Math.imul(page + 1, 0x9e3779b1) ^ Math.imul(this.times[page], 0x85ebca6b)) >>> 0;
  }
}

function next(word) {
  return (Math.imul(word, 1664525) + 1013904223) >>> 0;
}

if (process.send && process.argv[2] === 'child') {
  count((ticks) => process.send({ ticks }), Number(process.argv[3]));
  process.once('disconnect', () => process.exit());
} else if (isMainThread) serve();
else if (workerData.hot) write(workerData);
else count((ticks) => parentPort.postMessage({ ticks }), workerData.interval);

function serve() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      host: { type: 'string', default: '0.0.0.0' },
      heap: { type: 'string', default: '1' },
      hot: { type: 'string', default: '0' },
      rate: { type: 'string', default: 'max' },
      worker: { type: 'boolean', default: false },
      child: { type: 'boolean', default: false },
      interval: { type: 'string', default: '10' },
    },
  });
  const [heap, hot, interval] = [values.heap, values.hot, values.interval].map(Number);
  const rate = values.rate === 'max' ? Infinity : Number(values.rate);
  const pages = new Pages(heap);
  const thread = new URL(import.meta.url);
  const writer = hot > 0 && new Worker(thread, { argv: [], workerData: { hot, rate, interval } });
  const worker = values.worker && new Worker(thread, { argv: [], workerData: { interval } });
  const child =
    values.child &&
    fork(thread, ['child', values.interval], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });

  const state = { count: 0, writes: 0, workerTicks: 0, childTicks: 0 };
  const keep = (name) => (message) => {
    state[name] = message.ticks ?? state[name];
  };
  if (worker) worker.on('message', keep('workerTicks'));
  if (child) child.on('message', keep('childTicks'));
  const ready = writer ? new Promise((resolve) => writer.once('message', resolve)) : undefined;

  /** Checks the memory of the server and of its writer. */
  async function verify() {
    const wrong = (await pages.wrong()).map((page) => `page ${page} of the heap`);
    if (writer) {
      const answer = new Promise((resolve) => writer.once('message', resolve));
      writer.postMessage('verify');
      const told = await answer;
      if (told.writes < state.writes) wrong.push(`writes went back from ${state.writes}`);
      state.writes = told.writes;
      wrong.push(...told.wrong.map((page) => `page ${page} of the hot set`));
    }
    return { ok: wrong.length === 0, wrong, ...state };
  }

  const server = createServer(async (request, response) => {
    if (request.url === '/verify') response.end(JSON.stringify(await verify()));
    else if (request.url === '/state') response.end(JSON.stringify({ pid: process.pid, ...state }));
    else {
      state.count += 1;
      response.end(String(state.count));
    }
  });
  server.keepAliveTimeout = 0;
  server.listen(Number(values.port), values.host, async () => {
    await ready;
    console.log('ready');
  });
}

/** Writes the hot set page by page, at a rate in pages per second. */
async function write({ hot, rate, interval }) {
  const pages = new Pages(hot);
  let [writes, page] = [0, 0];
  parentPort.on('message', async () => {
    parentPort.postMessage({ wrong: await pages.wrong(), writes });
  });
  parentPort.postMessage('ready');
  const batch = rate === Infinity ? BATCH : Math.max(1, Math.round((rate * interval) / 1000));
  for (;;) {
    for (let n = 0; n < batch; n++) {
      pages.write(page);
      page = (page + 1) % pages.count;
    }
    writes += batch;
    if (rate === Infinity) await turn();
    else await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

function count(tell, interval) {
  let ticks = 0;
  setInterval(() => {
    ticks += 1;
    tell(ticks);
  }, interval);
}
