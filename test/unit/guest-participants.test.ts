import { beforeAll, describe, expect, test } from 'vitest';
import { buildLibrary } from '../helpers/built.ts';
import { failureOf } from '../helpers/failures.ts';
import { guestImport, startGuestWithHost } from '../helpers/guest.ts';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';

beforeAll(buildLibrary);

const limits = { timeoutMs: 20_000 };
const restored = { copy: { id: 'copy-1' }, restoredAt: 5, env: { NEW: 'yes' }, args: ['new'] };

/** Hooks that print through `print`, in a thread or process with a name. */
const hooks = `
  onBeforeCheckpoint(() => print('before'));
  onAfterRestore(({ copy, env, args, aborted }) => print('after ' + (copy?.id ?? aborted) + ' ' + env.NEW + ' ' + args));`;

/** A program with two worker threads, which print through the main thread. */
const threads = `${guestImport}
  import { BroadcastChannel, isMainThread, Worker, workerData } from 'node:worker_threads';
  const { pid } = process;
  if (isMainThread) {
    globalThis.print = (text) => console.log('main', text);
    const output = new BroadcastChannel('output');
    output.onmessage = ({ data }) => console.log(data);
    globalThis.workers = ['one', 'two'].map((name) => new Worker(new URL(import.meta.url), { workerData: name }));
    for (const each of workers) each.on('error', (error) => console.log(error));
    await Promise.all(workers.map((each) => new Promise((resolve) => each.once('message', resolve))));
    console.log('started');
  } else {
    const output = new BroadcastChannel('output');
    globalThis.print = (text) => output.postMessage(workerData + ' ' + text);
    (await import('node:worker_threads')).parentPort.postMessage('');
    (await import('node:worker_threads')).parentPort.on('message', () => {});
  }
  ${hooks}`;

describe.each(nodeMajors)('Node %i', (major) => {
  const node = nodePath(major);

  test('worker threads run their hooks, and are blocked meanwhile', async () => {
    const { channel, output } = await startGuestWithHost(threads, { node, args: ['old'] });
    await output.has('started');
    await channel.checkpoint(limits);
    await output.has('main before');
    await channel.restored(restored, limits);
    await output.has('one after copy-1 yes');
    await output.has('two after copy-1 yes');
    await output.has('main after copy-1 yes new');
    expect(output.text.match(/before/g)).toHaveLength(3);
    await channel.checkpoint(limits);
    await channel.resume('no', limits);
    await output.has('one after no yes');
    await output.has('two after no yes');
    await output.has('main after no yes new');
  });

  test('children of fork and cluster run their hooks, and are blocked meanwhile', async () => {
    const script = `${guestImport}
      import cluster from 'node:cluster';
      import { fork } from 'node:child_process';
      import { fileURLToPath } from 'node:url';
      const name = cluster.isWorker ? 'worker' : process.argv[2] === 'child' ? 'child' : 'main';
      const print = (text) => process.stdout.write(name + ' ' + text + '\\n');
      ${hooks}
      if (name === 'main') {
        const children = [fork(fileURLToPath(import.meta.url), ['child'])];
        cluster.setupPrimary({ args: ['old'] });
        children.push(cluster.fork().process);
        for (const each of children) {
          each.on('message', (message) => console.log('unexpected', message));
        }
      } else if (name === 'worker') {
        const { createServer } = await import('node:http');
        createServer().listen(0, '127.0.0.1', () => print('started'));
      } else {
        print('started');
        setInterval(() => {}, 1000);
      }`;
    const { channel, output } = await startGuestWithHost(script, { node, args: ['old'] });
    await output.has('worker started');
    await output.has('child started');
    await channel.checkpoint(limits);
    await output.has('worker before');
    await output.has('child before');
    expect(output.text).toMatch(/^main before$/m);
    await channel.restored(restored, limits);
    await output.has('worker after copy-1 yes new');
    await output.has('child after copy-1 yes new');
    await output.has('main after copy-1 yes new');
    expect(output.text).not.toContain('unexpected');
  });
});

test('a worker thread that refuses aborts the checkpoint for all', async () => {
  const { channel, output } = await startGuestWithHost(`${threads}
    if (!isMainThread && workerData === 'two') {
      const remove = onBeforeCheckpoint(() => { throw new Error('not me'); });
      onAfterRestore(() => remove());
    }`);
  await output.has('started');
  const { message, cause } = await failureOf(channel.checkpoint(limits));
  expect(message).toMatch(/refused: worker thread \d: onBeforeCheckpoint: not me$/);
  expect(cause).toMatchObject({ stack: expect.stringMatching(/^Error: not me\n +at /) });
  await output.has('one after worker thread');
  await output.has('two after onBeforeCheckpoint: not me');
  await output.has('main after worker thread');
  await channel.checkpoint(limits);
  await channel.restored(restored, limits);
  await output.has('one after copy-1');
});

test('a worker thread that ends during the checkpoint is not awaited', async () => {
  const { channel, output } = await startGuestWithHost(`${threads}
    onBeforeCheckpoint(async () => {
      if (!isMainThread && workerData === 'two') process.exit();
      if (isMainThread) await workers[0].terminate();
    });`);
  await output.has('started');
  await channel.checkpoint(limits);
  await channel.restored(restored, limits);
  await output.has('main after copy-1');
  expect(output.text).not.toMatch(/(one|two) after/);
});

test('a worker thread that is busy is named when it does not answer', async () => {
  const { channel, output } = await startGuestWithHost(`${threads}
    if (isMainThread) {
      // It may be asked before it blocks otherwise.
      onBeforeCheckpoint(() => new Promise((resolve) => {
        workers[0].once('message', resolve).postMessage('block');
      }));
    } else {
      const { parentPort } = await import('node:worker_threads');
      parentPort.on('message', () => {
        parentPort.postMessage('blocks');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      });
    }`);
  await output.has('started');
  const { message } = await failureOf(channel.checkpoint({ timeoutMs: 300 }));
  expect(message).toMatch(/refused: worker thread \d does not answer/);
});

test('worker threads and children ask for a checkpoint', async () => {
  const { channel, output } = await startGuestWithHost(`${guestImport}
    import { fork } from 'node:child_process';
    import { fileURLToPath } from 'node:url';
    import { isMainThread, Worker } from 'node:worker_threads';
    if (!isMainThread) {
      const { copy } = await checkpoint();
      process.send?.(1);
      console.log('in a worker', copy.id);
    } else if (process.send) {
      new Worker(new URL(import.meta.url));
    } else fork(fileURLToPath(import.meta.url));`);
  await channel.requested();
  await channel.checkpoint(limits);
  await channel.restored(restored, limits);
  await output.has('in a worker copy-1');
});
