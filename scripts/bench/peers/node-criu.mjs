// node-criu.mjs CRIU [PREWARM]: a client that uses this library. See client.h. Requests are served at the
// same time. Of its own it has "stall", which answers with the longest stall of the event loop since it
// was asked last, in nanoseconds.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { Criu } from '../../../dist/index.js';

const [path, prewarm = '0'] = process.argv.slice(2);
const criu = new Criu({ path, prewarm: Number(prewarm) });
const kept = [];
let delays;

const requests = {
  version: () => criu.version(),
  features: () => criu.features(),
  dump: (pid, imagesDirectory, end) =>
    // The other clients do not write the images to the disk.
    criu.dump(Number(pid), { imagesDirectory, leaveRunning: end === '0', durable: false }),
  restore: (imagesDirectory) => criu.restore({ imagesDirectory }),
  grow: (mib) => kept.push(Buffer.alloc(Number(mib) * 2 ** 20, 1)),
};

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

for await (const line of createInterface({ input: process.stdin })) {
  const [number, what, ...rest] = line.split(' ');
  answer(what, rest).then(
    (took) => console.log(`${number} ${took}`),
    (error) => {
      console.error(error);
      console.log(`${number} error`);
    },
  );
}
await criu.close();
