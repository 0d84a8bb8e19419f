// Worker threads: each has hooks of its own if it imports the library. A worker cannot be closed and opened again
// without its memory, so what it has open is what its hooks close.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { checkpoint, onAfterRestore } from 'node-criu/guest';

if (isMainThread) {
  const workers = [1, 2].map(() => new Worker(new URL(import.meta.url)));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await checkpoint();
  for (const worker of workers) worker.postMessage('draw');
  const drawn = await Promise.all(workers.map((worker) => once(worker, 'message')));
  console.log(`drawn: ${drawn.join(' ')}`);
} else {
  let name = 'the template';
  onAfterRestore(({ copy }) => {
    name = copy?.name ?? name;
  });
  parentPort.on('message', () => parentPort.postMessage(`${name} ${crypto.randomUUID()}`));
  parentPort.postMessage('ready');
}
