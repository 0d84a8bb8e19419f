import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildLibrary } from '../../helpers/built.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { holdings } from '../../helpers/own-resources.ts';
import {
  client,
  processState,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
} from '../../helpers/workload.ts';

beforeAll(async () => {
  await buildLibrary();
  // The first thread opens what stays open for good.
  const worker = startWorker();
  await worker.run('version');
  await worker.terminate();
});

test('criu answers a worker thread', async () => {
  const worker = startWorker();
  onTestFinished(() => worker.terminate());
  expect(await worker.run('version')).toEqual(await client().version());
});

test('two worker threads and the main thread ask at the same time', async () => {
  const workers = [startWorker(), startWorker()];
  onTestFinished(async () => {
    for (const worker of workers) await worker.terminate();
  });
  const criu = client();
  const ask = () => Promise.all([...workers.map(({ run }) => run('version')), criu.version()]);
  for (let round = 0; round < 5; round++) {
    const answers = await ask();
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  }
});

test('a worker thread dumps a process, restores it as a child and gets its exit code', async () => {
  const before = await holdings();
  const worker = startWorker();
  onTestFinished(() => worker.terminate());
  const program = await startProgram(await compileFixture('exit-when-told'), ['7']);
  const imagesDirectory = await temporaryDirectory();
  // Before it executes its own program, it cannot be asked to exit.
  await waitFor(async () => (await processState(program.pid)) === 'S', 'it waits');

  const stats = await worker.run('dump', { pid: program.pid, imagesDirectory });
  expect(stats).toMatchObject({ pagesWritten: expect.any(Number) });
  await program.ended;
  expect(await worker.run('restore', { imagesDirectory })).toEqual({
    pid: program.pid,
    exit: { code: 7, signal: null },
  });
  expect(await processState(program.pid)).toBeUndefined();
  await worker.terminate();
  await nothingLeft(before);
});

test('a worker thread that is terminated in the middle of a dump leaves nothing behind', async () => {
  const counter = await startCounter();
  const before = await holdings();
  const worker = startWorker();
  onTestFinished(() => worker.terminate());
  const dump = { pid: counter.pid, imagesDirectory: await temporaryDirectory() };
  expect(await worker.run('dumpForever', dump)).toEqual({ frozen: true });
  const [criu, ...others] = (await holdings()).children.filter(
    (pid) => !before.children.includes(pid),
  );
  expect(others).toEqual([]);

  await worker.terminate();
  await waitFor(async () => (await processState(criu ?? 0)) === undefined, 'criu is gone');
  await counter.countsOn();
  await nothingLeft(before);
  // The process is intact: it can be dumped again.
  await client().dump(counter.pid, { imagesDirectory: await temporaryDirectory() });
  await counter.ended;
});

test('a session that a terminated worker thread had open ends', async () => {
  const before = await holdings();
  const worker = startWorker();
  onTestFinished(() => worker.terminate());
  const { pid } = (await worker.run('hold')) as { pid: number };
  expect((await holdings()).children).toContain(pid);
  await worker.terminate();
  await waitFor(async () => (await processState(pid)) === undefined, 'criu is gone');
  await nothingLeft(before);
});

/** Starts a thread that runs tasks, one at a time. */
function startWorker() {
  const worker = new Worker(new URL('../../fixtures/criu-worker.mjs', import.meta.url), {
    workerData: { path: criuPath() },
  });
  async function run(task: string, options?: object): Promise<unknown> {
    worker.postMessage({ task, options });
    const [{ result, error, ...said }] = (await once(worker, 'message')) as [
      { result?: unknown; error?: { message: string } },
    ];
    if (error) throw new Error(`${task}: ${error.message}`);
    return result ?? said;
  }
  return { run, terminate: async () => void (await worker.terminate()) };
}

/** Resolves when this process has the same descriptors and children as before. */
async function nothingLeft(before: Awaited<ReturnType<typeof holdings>>): Promise<void> {
  await waitFor(
    async () => JSON.stringify(await holdings()) === JSON.stringify(before),
    'this process has what it had before',
  ).catch(async () => expect(await holdings()).toEqual(before));
}
