// node-criu.mjs CRIU [PREWARM [THREADS]]: a client that uses this library. See client.h. Requests are served
// at the same time, by so many worker threads in turn if there are any. Of its own it has "stall", which
// answers with the longest stall of the event loop since it was asked last, in nanoseconds, "heap MIB",
// which fills its heap with small objects, "load", which keeps the event loop busy for half of the
// time, and "cache", which keeps what criu finds out about the kernel.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Criu } from '../../../dist/index.js';

const [path, prewarm = '0', threads = '0'] = isMainThread ? process.argv.slice(2) : workerData;
const criu = new Criu({ path, prewarm: Number(prewarm) });
const kept = [];
let delays;

const requests = {
  version: () => criu.version(),
  features: () => criu.features(),
  dump: (pid, imagesDirectory, end) =>
    // The other clients neither write the images to the disk nor make a manifest.
    criu.dump(Number(pid), {
      ...{ imagesDirectory, leaveRunning: end === '0' },
      ...{ durable: false, manifest: false },
    }),
  restore: (imagesDirectory) => criu.restore({ imagesDirectory }),
  grow: (mib) => kept.push(Buffer.alloc(Number(mib) * 2 ** 20, 1)),
  heap: (mib) => {
    // Each takes about 160 bytes.
    const count = Math.round((Number(mib) * 2 ** 20) / 160);
    for (let made = 0; made < count; made += 1000) {
      kept.push(
        Array.from({ length: 1000 }, (_, id) => ({ id, name: `object ${id}`, at: [made] })),
      );
    }
  },
  // It ends with its standard input all the same.
  load: () => void setInterval(() => work(1), 2).unref(),
  cache: () => criu.keepKernelCache(),
};

/** Allocates for so many milliseconds, as a busy program does. */
function work(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end) JSON.parse('{"some": ["small", "objects"]}');
}

async function answer(what, rest) {
  if (what === 'stall') return stall();
  const start = process.hrtime.bigint();
  await requests[what](...rest);
  return process.hrtime.bigint() - start;
}

/** Measured from the first time on. A timer is due each millisecond, which is no stall. */
function stall() {
  const longest = delays ? Math.max(0, delays.max - 1e6) : 0;
  delays ??= monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  delays.reset();
  return Math.round(longest);
}

/** Serves a request, and passes on the answer. */
function serve(line, reply) {
  const [number, what, ...rest] = line.split(' ');
  answer(what, rest).then(
    (took) => reply(`${number} ${took}`),
    (error) => {
      console.error(error);
      reply(`${number} error`);
    },
  );
}

if (isMainThread) {
  const workers = Array.from({ length: Number(threads) }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: [path, prewarm] });
    return worker.on('message', (text) => console.log(text));
  });
  let next = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    if (workers.length === 0) serve(line, (text) => console.log(text));
    else workers[next++ % workers.length].postMessage(line);
  }
  await criu.close();
  for (const worker of workers) await worker.terminate();
} else {
  parentPort.on('message', (line) => serve(line, (text) => parentPort.postMessage(text)));
}
