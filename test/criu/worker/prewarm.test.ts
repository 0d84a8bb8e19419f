import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { copyFile, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, type WorkerTrace } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import {
  client,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** The criu processes among the children of this one. */
async function workers(): Promise<number[]> {
  const pids = await children();
  const names = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/comm`, 'latin1').catch(() => '')),
  );
  return pids.filter((_, index) => names[index] === 'criu\n');
}

async function waiting(count: number): Promise<number[]> {
  await waitFor(async () => (await workers()).length === count, `${count} workers wait`);
  return await workers();
}

/** The workers that start and end from now on, by their pids. */
function starts(): { readonly started: number[]; readonly ended: number[] } {
  const noted = { started: [] as number[], ended: [] as number[] };
  const lists = { 'worker.start': noted.started, 'worker.exit': noted.ended };
  for (const [name, list] of Object.entries(lists)) {
    const note = (trace: unknown) => void list.push((trace as WorkerTrace).pid);
    subscribe(`node-criu:${name}`, note);
    onTestFinished(() => void unsubscribe(`node-criu:${name}`, note));
  }
  return noted;
}

test('workers are started in advance, and operations use them up', async () => {
  const before = await holdings();
  const criu = client({ prewarm: 2 });
  const [first] = await waiting(2);
  await criu.version();
  await criu.features();
  // Requests that only query criu return their worker.
  expect(await waiting(2)).toContain(first);
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory });
  await waitGone(counter.pid);
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  await waitFor(async () => !(await workers()).includes(first as number), 'it was used up');
  await waiting(2);
  await criu.close();
  await waitFor(async () => (await workers()).length === 0, 'they have ended');
  process.kill(counter.pid, 'SIGKILL');
  expect((await holdings()).descriptors).toEqual(before.descriptors);
});

test('a worker that dies is replaced', async () => {
  const criu = client({ prewarm: 1 });
  const [first] = await waiting(1);
  process.kill(first as number, 'SIGKILL');
  await waitFor(async () => !(await workers()).includes(first as number), 'it is dead');
  const [second] = await waiting(1);
  expect(second).not.toBe(first);
  await criu.close();
});

test('operations that need a criu of their own do not use pooled workers', async () => {
  const criu = client({ prewarm: 1 });
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await client().dump(counter.pid, { imagesDirectory });
  await waitGone(counter.pid);
  const waitingOnes = await waiting(1);
  const pool = starts();

  await using file = await open('/dev/null');
  await (await criu.session({ descriptors: { 7: file } })).close();
  await criu.restore({ imagesDirectory, shellJob: true });
  process.kill(counter.pid, 'SIGKILL');
  await waitGone(counter.pid);
  expect(pool.started).toHaveLength(2);
  expect(await workers()).toEqual(waitingOnes);
  await criu.close();
});

test('workers are started and ended also if the working directory was removed', async () => {
  await buildLibrary();
  const directory = await temporaryDirectory();
  const script = join(import.meta.dirname, '../../fixtures/prewarm-nowhere.mjs');
  const args = [script, criuPath(), join(directory, 'gone')];
  const { stdout } = await execa(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({ children: 2, major: expect.any(Number), after: 0 });
});

describe('a criu that dies at once', () => {
  test('is restarted with a delay that doubles each time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const pool = starts();
    const criu = new Criu({ path: '/bin/true', prewarm: 1 });
    const gaps: number[] = [];
    while (gaps.length < 12) {
      await waitFor(() => pool.ended.length === gaps.length + 1, 'it has ended');
      // Until then there may be the one which waits for its end.
      await waitFor(() => vi.getTimerCount() === 1, 'the next one is due');
      const before = Date.now();
      vi.advanceTimersToNextTimer();
      gaps.push(Date.now() - before);
    }
    const [first = 0] = gaps;
    const longest = gaps.at(-1) as number;
    expect(gaps).toEqual(gaps.map((_, index) => Math.min(first * 2 ** index, longest)));
    expect(longest).toBeGreaterThan(100 * first);
    expect(longest).toBe(gaps.at(-2));

    await waitFor(() => pool.ended.length === 13, 'it has ended');
    await criu.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(pool.started).toHaveLength(13);
  });

  test('is replaced at once if an operation used it', async () => {
    const path = join(await temporaryDirectory(), 'criu');
    await copyFile(await compileFixture('broken-criu'), path);
    const pool = starts();
    const running = () => pool.started.length - pool.ended.length;
    const criu = new Criu({ path, prewarm: 2 });
    await waitFor(() => running() === 2, 'two wait');
    await failureOf(criu.features());
    await waitFor(() => running() === 2 && pool.started.length === 3, 'two wait again');
    await criu.close();
    expect(running()).toBe(0);
  });
});

test('a closed client starts no workers', async () => {
  const pool = starts();
  // Far more than are started until the first is seen.
  const criu = client({ prewarm: 64 });
  await waitFor(() => pool.started.length > 0, 'the first is started');
  await criu.close();
  const { length } = pool.started;
  expect(length).toBeLessThan(64);
  await using other = client({ prewarm: 1 });
  await waitFor(() => pool.started.length > length, 'the other one starts its own');
  await other.version();
  expect(pool.started.length).toBe(length + 1);
  expect(pool.ended.sort()).toEqual(pool.started.slice(0, length).sort());
});

test('a worker that was started in another working directory is not used', async () => {
  const criu = client({ prewarm: 1 });
  const [first] = await waiting(1);
  process.env.NODE_CRIU_TEST = 'changed';
  try {
    await criu.version();
    await waitFor(async () => !(await workers()).includes(first as number), 'it is left');
  } finally {
    delete process.env.NODE_CRIU_TEST;
  }
});

test('an unused client does not keep Node running, and leaves nothing behind', async () => {
  await buildLibrary();
  const script = `import { Criu } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
    import { readdirSync, readFileSync } from 'node:fs';
    const criu = new Criu({ path: ${JSON.stringify(criuPath())}, prewarm: 2 });
    const own = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8');
    const wait = setInterval(() => {
      if (own().trim().split(' ').length < 2) return;
      console.log(own());
      clearInterval(wait);
    }, 10);`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script]);
  const pids = stdout.trim().split(' ').map(Number);
  expect(pids).toHaveLength(2);
  for (const pid of pids) await waitGone(pid);
});
