import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, spawnCheckpointable } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { countsInOrder, dumpedCounter, startFamily } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { heldProgram } from '../../helpers/held-program.ts';
import { childOf, startObstacle } from '../../helpers/obstacle.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { isSoak, sample } from '../../helpers/sample.ts';
import {
  client,
  isAlive,
  processState,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** How long a slow hook takes. The other tests of this file run meanwhile. */
const SLOW_MS = 30_000;
/** How often the event loop is checked. */
const TICK_MS = 20;
/** With fewer sessions, what the garbage collector leaves for a while would hide a leak of memory. */
const SESSIONS = sample('consecutive sessions that leak nothing', 1000, 100);

let ticks = 0;
const ticking = setInterval(() => void ticks++, TICK_MS);

/** Runs an action; returns the share of its ticks that the event loop had. */
async function ticksDuring<T>(action: () => Promise<T>): Promise<{ result: T; share: number }> {
  const [before, start] = [ticks, ownTime()];
  const result = await action();
  return { result, share: (ticks - before) / ((ownTime() - start) / TICK_MS) };
}

/**
 * The time in milliseconds without that for which this thread has waited for a processor: what blocks the event
 * loop takes as much of it on a busy machine as on a quiet one.
 */
function ownTime(): number {
  const [, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
  return performance.now() - Number(waited) / 1e6;
}

/** The minimum share. */
const FREE = 0.5;

/** A process that counts, and an operation on it whose hook takes long. */
interface Slow {
  readonly pid: number;
  /** Resolves with the result of the operation, or with its error. */
  readonly done: Promise<unknown>;
  /** The state of the process when the hook began, and when it ended. */
  readonly states: (string | undefined)[];
  /** The count at those two moments. */
  readonly counts: number[];
  /** The share of its ticks that the event loop had while the hook waited. */
  share: number;
  /** The current count. */
  count(): Promise<number>;
}

const cleanUp: (() => unknown)[] = [];
let slow: Readonly<Record<'dump' | 'restore', Slow>>;

beforeAll(async () => {
  await buildLibrary();
  slow = { dump: await startSlow(), restore: await startSlow(true) };
});

afterAll(async () => {
  clearInterval(ticking);
  for (const clean of cleanUp.reverse()) await clean();
});

test('50 concurrent operations do not disturb each other', async () => {
  const criu = client();
  const counters = await Promise.all(Array.from({ length: 14 }, () => startCounter()));
  const images = await Promise.all(counters.map(() => temporaryDirectory()));
  const dumped = await Promise.all(Array.from({ length: 14 }, () => dumpedCounter(criu)));
  const { number } = await criu.version();
  const before = await holdings();

  const { result, share } = await ticksDuring(() =>
    Promise.all([
      Promise.all(Array.from({ length: 11 }, () => criu.version())),
      Promise.all(Array.from({ length: 11 }, () => criu.features())),
      Promise.all(
        counters.map(({ pid }, index) =>
          criu.dump(pid, { imagesDirectory: images[index] ?? '', leaveRunning: true }),
        ),
      ),
      Promise.all(
        dumped.map(({ imagesDirectory }) => criu.restore({ imagesDirectory, asChild: true })),
      ),
    ]),
  );
  expect(share).toBeGreaterThan(FREE);
  const [versions, features, dumps, restores] = result;
  expect(versions.map((version) => version.number)).toEqual(new Array(11).fill(number));
  expect(new Set(features.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(dumps.map(({ pid }) => pid)).toEqual(counters.map(({ pid }) => pid));
  expect(restores.map(({ pid }) => pid)).toEqual(dumped.map(({ counter }) => counter.pid));
  for (const counter of [...counters, ...dumped.map((one) => one.counter)]) {
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);
  }
  for (const restored of restores) {
    restored.kill('SIGKILL');
    await restored.exited;
  }
  expect(await holdings()).toEqual(before);
});

test('operations whose criu cannot be executed yet do not delay others', async () => {
  const held = await heldProgram(criuPath());
  const delayed = new Criu({ path: held.file });
  let done = 0;
  const versions = Array.from({ length: 3 }, async () => {
    const { number } = await delayed.version();
    done++;
    return number;
  });
  const { number } = await client().version();
  expect(done).toBe(0);
  await held.release();
  expect(await Promise.all(versions)).toEqual([number, number, number]);
});

test('many consecutive sessions leak no descriptors, children or memory', async () => {
  // A small young generation, so that its objects do not count as growth.
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const script = join(import.meta.dirname, '../../fixtures/many-sessions.mjs');
  const { stdout } = await execa(process.execPath, [
    ...flags,
    script,
    criuPath(),
    String(SESSIONS / 2),
    String(SESSIONS),
  ]);
  const { before, after } = JSON.parse(stdout);
  expect(after.descriptors).toBe(before.descriptors);
  expect([before.children, after.children]).toEqual(['', '']);
  if (!isSoak) return;
  // At most 1 KiB on the heap and two pages in total per session.
  expect(after.heapUsed - before.heapUsed).toBeLessThan(SESSIONS * 1024);
  expect(after.rss - before.rss).toBeLessThan(SESSIONS * 8192);
});

describe('two dumps of one process', () => {
  test.each([true, false])(
    'the first succeeds, the second fails, with leaveRunning: %s',
    async (leaveRunning) => {
      const criu = client();
      const counter = await startCounter();
      const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
      const others = (await holdings()).children;
      let holder: number | undefined;
      let error: unknown;
      await criu.dump(counter.pid, {
        imagesDirectory: first,
        leaveRunning,
        hooks: {
          async postDump() {
            holder = (await holdings()).children.find((child) => !others.includes(child));
            error = await failureOf(criu.dump(counter.pid, { imagesDirectory: second }));
          },
        },
      });
      const { pid } = counter;
      expect(error).toMatchObject({
        code: 'ERR_CRIU_BUSY',
        message: `dump of process ${pid}: another process traces process ${pid}: its tracer is process ${holder} (criu), and it can have only one (the processes are stopped)`,
        workload: 'stopped',
        errno: 3,
        pid,
      });
      if (leaveRunning) {
        await counter.countsOn();
      } else {
        await counter.ended;
        await criu.restore({ imagesDirectory: first });
        await counter.countsOn();
      }
      expect(await countsInOrder(counter)).toBe(true);
    },
  );

  test('started together: one succeeds, and the other never reports the process as running', async () => {
    const criu = client();
    await criu.version();
    const codes = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const counter = await startCounter();
      const images = [await temporaryDirectory(), await temporaryDirectory()];
      const outcomes = await Promise.allSettled(
        images.map(async (imagesDirectory, index) => {
          await sleep(index * round);
          return await criu.dump(counter.pid, { imagesDirectory });
        }),
      );
      const [failure, ...more] = outcomes.filter(({ status }) => status === 'rejected');
      expect(more).toEqual([]);
      const { code, workload, message } = (failure as PromiseRejectedResult).reason;
      codes.add(code);
      if (code === 'ERR_CRIU_BUSY') {
        expect(['stopped', 'gone']).toContain(workload);
        expect(message).toMatch(/another (process|dump or a debugger) trace[sd] process/);
      } else {
        expect([code, workload]).toEqual(['ERR_CRIU_NO_SUCH_PROCESS', 'gone']);
      }
      await counter.ended;
      const winner = images[outcomes.findIndex(({ status }) => status === 'fulfilled')] ?? '';
      await criu.restore({ imagesDirectory: winner });
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);
    }
    expect(codes).toContain('ERR_CRIU_BUSY');
  });

  test('the second names the conflict also if the first dumps only a part of the tree', async () => {
    const criu = client();
    const { pid, members } = await startFamily();
    const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ');
    const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
    let error: unknown;
    await criu.dump(Number(child), {
      imagesDirectory: first,
      leaveRunning: true,
      shellJob: true,
      hooks: {
        async postDump() {
          error = await failureOf(criu.dump(pid, { imagesDirectory: second }));
        },
      },
    });
    expect(error).toMatchObject({ code: 'ERR_CRIU_BUSY', workload: 'running' });
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining(`another dump or a debugger traces process ${child}, which is in`),
    );
    for (const member of members) await member.countsOn();
  });
});

test('a process under a debugger is not dumped, and the error names the debugger', async () => {
  const { pid: tracer } = await startObstacle('trace');
  const pid = await childOf(tracer);
  const options = { imagesDirectory: await temporaryDirectory(), shellJob: true };
  const error = await failureOf(client().dump(pid, options));
  expect(error).toMatchObject({ code: 'ERR_CRIU_BUSY', workload: 'running' });
  expect(error.message).toContain(
    `another process traces process ${pid}: its tracer is process ${tracer} (obstacle)`,
  );
  expect(await isAlive(pid)).toBe(true);
});

test('a tree of 200 processes is dumped and restored, and all of them continue to count', async () => {
  const criu = client();
  const file = join(await temporaryDirectory(), 'counts');
  const { pid } = await startProgram(await compileFixture('crowd'), ['200', file]);
  const counts = async () => {
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    return Array.from({ length: bytes.length >> 2 }, (_, place) => bytes.readUInt32LE(4 * place));
  };
  const all = async (least: readonly number[]) => {
    const now = await counts();
    return now.length === 200 && now.every((count, place) => count > (least[place] ?? 5));
  };
  await waitFor(() => all([]), '200 processes count');

  const imagesDirectory = await temporaryDirectory();
  const dumped = await ticksDuring(() => criu.dump(pid, { imagesDirectory }));
  expect(dumped.share).toBeGreaterThan(FREE);
  const pids = (await readdir(imagesDirectory)).flatMap(
    (name) => /^core-(\d+)/.exec(name)?.[1] ?? [],
  );
  expect(pids).toHaveLength(200);
  for (const each of pids) await waitGone(Number(each));

  const last = await counts();
  const restored = await ticksDuring(() => criu.restore({ imagesDirectory }));
  expect(restored.share).toBeGreaterThan(FREE);
  expect(restored.result.pid).toBe(pid);
  await waitFor(() => all(last), '200 processes count on');
});

test('a process with 10,000 descriptors is dumped and restored with all of them', async () => {
  const criu = client();
  const file = join(await temporaryDirectory(), 'numbers');
  const { pid } = await startProgram(await compileFixture('many-descriptors'), ['10000', file]);
  // The last line may be incomplete.
  const lines = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  await waitFor(async () => (await lines()).length > 2, 'it has opened them');

  const imagesDirectory = await temporaryDirectory();
  const dumped = await ticksDuring(() => criu.dump(pid, { imagesDirectory }));
  expect(dumped.share).toBeGreaterThan(FREE);
  await waitGone(pid);
  const before = await lines();
  const restored = await ticksDuring(() => criu.restore({ imagesDirectory }));
  expect(restored.share).toBeGreaterThan(FREE);
  await waitFor(async () => (await lines()).length > before.length + 2, 'it goes on');
  expect(new Set(await lines())).toEqual(new Set(['10000']));
  expect((await readdir(`/proc/${pid}/fd`)).length).toBeGreaterThan(10_000);
});

test.each(['dump', 'restore'] as const)('a %s waits for a hook that takes 30 s', async (kind) => {
  const { pid, done, states, counts, count } = slow[kind];
  expect(await done).toMatchObject({ pid });
  expect(slow[kind].share).toBeGreaterThan(FREE);
  // CRIU keeps the process stopped until the hook returns.
  expect(states).toEqual(['t', 't']);
  const [first = 0, second] = counts;
  expect(second).toBe(first);
  await waitFor(async () => (await count()) > first, 'it goes on');
});

/** Starts a process and dumps it, or restores it after a dump, with a slow hook. */
async function startSlow(restore = false): Promise<Slow> {
  const directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  cleanUp.push(() => rm(directory, { recursive: true }));
  const file = join(directory, 'numbers');
  const imagesDirectory = join(directory, 'images');
  const { pid } = await spawnCheckpointable(await compileFixture('counter'), [file]);
  cleanUp.push(async () => {
    if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
    await waitFor(async () => !(await isAlive(pid)), `process ${pid} is dead`);
  });
  const count = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').length;
  await waitFor(async () => (await count()) > 2, 'it counts');

  const criu = new Criu({ path: criuPath() });
  if (restore) {
    await criu.dump(pid, { imagesDirectory });
    await waitGone(pid);
  }
  const states: Slow['states'] = [];
  const counts: number[] = [];
  const look = async () => {
    states.push(await processState(pid));
    counts.push(await count());
  };
  const slow = { pid, states, counts, share: 0, count };
  const wait = async () => {
    await look();
    slow.share = (await ticksDuring(() => sleep(SLOW_MS))).share;
    await look();
  };
  const operation = restore
    ? criu.restore({ imagesDirectory, hooks: { preResume: wait } })
    : criu.dump(pid, { imagesDirectory, leaveRunning: true, hooks: { postDump: wait } });
  const done = operation.catch((error: unknown) => error);
  await waitFor(() => counts.length === 1, 'the hook is called');
  return Object.assign(slow, { done });
}
