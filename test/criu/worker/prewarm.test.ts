import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, type WorkerTrace } from '../../../src/index.ts';
import { statusOf } from '../../../src/procfs/status.ts';
import { childrenOf } from '../../../src/procfs/tree.ts';
import { buildLibrary } from '../../helpers/built.ts';
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

/** Waits until services answer requests; returns their pids. */
async function ready(criu: Criu, count: number): Promise<number[]> {
  const services = await waiting(count);
  const haveWorker = () => services.every((pid) => childrenOf(pid).length === 1);
  await waitFor(haveWorker, 'each has a worker');
  // A service is used once its worker waits.
  const pool = starts();
  await waitFor(async () => {
    const { length } = pool.started;
    await criu.version();
    return pool.started.length === length;
  }, 'they are used');
  return services;
}

/** Makes an operation in which `stop` stops a criu and cancels the operation. */
async function cancelled<T>(
  operation: (
    limits: { signal: AbortSignal; gracePeriodMs: number },
    stop: (pid: number | undefined) => void,
  ) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return await operation({ signal: controller.signal, gracePeriodMs: 1 }, (pid = 0) => {
    process.kill(pid, 'SIGSTOP');
    controller.abort();
  });
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

test('services are started in advance, and serve one operation after the other', async () => {
  const before = await holdings();
  const criu = client({ prewarm: 2 });
  const first = await ready(criu, 2);
  const pool = starts();
  await criu.version();
  await criu.features();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory });
  await waitGone(counter.pid);
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  expect(pool).toEqual({ started: [], ended: [] });
  expect(await workers()).toEqual(first);
  await criu.close();
  await waitFor(async () => (await workers()).length === 0, 'they have ended');
  process.kill(counter.pid, 'SIGKILL');
  expect((await holdings()).descriptors).toEqual(before.descriptors);
});

test('a failure reports the exit status and standard error of its own criu, and its service is replaced', async () => {
  const criu = client({ prewarm: 1 });
  const [first] = await ready(criu, 1);
  const imagesDirectory = await temporaryDirectory();
  const failed = await failureOf(criu.restore({ imagesDirectory }));
  expect(failed).toMatchObject({ code: 'ERR_CRIU_FAILED', exit: { code: 1, signal: null } });
  expect(failed.stderr).toBe('');
  await waitFor(async () => !(await workers()).includes(first as number), 'it has ended');
  await ready(criu, 1);
  // CRIU reports a log file that it cannot make on its standard error only.
  await mkdir(join(imagesDirectory, 'log'));
  const unlogged = await failureOf(criu.restore({ imagesDirectory, logFile: 'log' }));
  expect(unlogged.stderr).toMatch(/^Error \(.*Can't create log file log/);
  await criu.close();
});

describe('a cancelled operation whose criu does not react is killed', () => {
  test('and the processes of a dump continue', async () => {
    const criu = client({ prewarm: 1 });
    await ready(criu, 1);
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(
      cancelled((signal, stop) =>
        criu.dump(counter.pid, {
          ...signal,
          imagesDirectory,
          hooks: {
            queryExtFiles() {
              stop(statusOf(counter.pid)?.tracer);
              return [];
            },
          },
        }),
      ),
    );
    expect(error).toMatchObject({
      code: 'ERR_CRIU_ABORTED',
      cancelled: 'killed',
      exit: { code: null, signal: 'SIGKILL' },
      workload: 'running',
    });
    await counter.countsOn();
    await criu.close();
  });

  test('and nothing of a restore is left', async () => {
    const criu = client({ prewarm: 1 });
    await ready(criu, 1);
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    await client().dump(counter.pid, { imagesDirectory });
    await waitGone(counter.pid);
    const error = await failureOf(
      cancelled((signal, stop) =>
        criu.restore({
          ...signal,
          imagesDirectory,
          hooks: { postRestore: (pid) => stop(statusOf(pid)?.parent) },
        }),
      ),
    );
    expect(error).toMatchObject({ cancelled: 'killed', workload: 'gone' });
    await waitGone(counter.pid);
    await criu.close();
  });
});

test('an operation goes on if its service is killed', async () => {
  const criu = client({ prewarm: 1 });
  const [service] = await ready(criu, 1);
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const hooks = { postDump: () => void process.kill(service as number, 'SIGKILL') };
  await criu.dump(counter.pid, { imagesDirectory, leaveRunning: true, hooks });
  await counter.countsOn();
  await ready(criu, 1);
  await criu.close();
});

test('configuration files apply, which a service ignores', async () => {
  const criu = client({ prewarm: 1 });
  await ready(criu, 1);
  const counter = await startCounter();
  const directory = await temporaryDirectory();
  const file = join(directory, 'criu.conf');
  await writeFile(file, 'leave-running\n');
  process.env.CRIU_CONFIG_FILE = file;
  onTestFinished(() => void delete process.env.CRIU_CONFIG_FILE);
  await criu.dump(counter.pid, { imagesDirectory: join(directory, 'images') });
  await counter.countsOn();
  await criu.close();
});

test.each([
  ['starts', waiting],
  ['waits', (count: number, criu: Criu) => ready(criu, count)],
])('a service that dies while it %s is replaced', async (_, until) => {
  const criu = client({ prewarm: 1 });
  const [first] = await until(1, criu);
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
  const waitingOnes = await ready(criu, 1);
  const pool = starts();

  await using file = await open('/dev/null');
  await (await criu.session({ descriptors: { 7: file } })).close();
  await criu.restore({ imagesDirectory, shellJob: true });
  process.kill(counter.pid, 'SIGKILL');
  await waitGone(counter.pid);
  const child = await criu.restore({ imagesDirectory, asChild: true });
  child.kill('SIGKILL');
  expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  expect(pool.started).toHaveLength(3);
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
});

test('a closed client starts no workers', async () => {
  const pool = starts();
  // Far more than are started until the first is seen.
  const criu = client({ prewarm: 64 });
  await waitFor(() => pool.started.length > 0, 'the first is started');
  await criu.close();
  const { length } = pool.started;
  expect(length).toBeLessThan(64);
  await using _other = client({ prewarm: 1 });
  await waitFor(() => pool.started.length > length, 'the other one starts its own');
  expect(pool.started.length).toBe(length + 1);
  expect(pool.ended.sort()).toEqual(pool.started.slice(0, length).sort());
});

test('a service that was started with another environment is not used', async () => {
  const criu = client({ prewarm: 1 });
  const [first] = await ready(criu, 1);
  process.env.NODE_CRIU_TEST = 'changed';
  try {
    await criu.version();
    await waitFor(async () => !(await workers()).includes(first as number), 'it is left');
  } finally {
    delete process.env.NODE_CRIU_TEST;
  }
});

test.each([false, true])(
  'an unused client does not keep Node running, and leaves nothing behind (killed: %s)',
  async (isKilled) => {
    await buildLibrary();
    const directory = await temporaryDirectory();
    const script = `import { Criu } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
    import { readFileSync, readdirSync } from 'node:fs';
    const criu = new Criu({ path: ${JSON.stringify(criuPath())}, prewarm: 2 });
    const childrenOf = (pid) => readdirSync('/proc/' + pid + '/task')
      .flatMap((thread) => readFileSync('/proc/' + pid + '/task/' + thread + '/children', 'utf8').split(' ').filter(Boolean));
    const wait = setInterval(() => {
      const services = childrenOf(process.pid);
      const workers = services.flatMap(childrenOf);
      const names = readdirSync(process.env.TMPDIR);
      if (services.length !== 2 || workers.length !== 2 || names.length !== 0) return;
      console.log([...services, ...workers].join(' '));
      clearInterval(wait);
      if (${isKilled}) process.kill(process.pid, 'SIGKILL');
    }, 10);`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script], {
      env: { TMPDIR: directory },
      reject: false,
    });
    // The sockets have no names by now.
    expect(await readdir(directory)).toEqual([]);
    const pids = stdout.split(' ').map(Number);
    expect(pids).toHaveLength(4);
    for (const pid of pids) await waitGone(pid);
  },
);
