import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { dumpedCounter, startCounting, steps } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { expectIntact } from '../../helpers/expect-intact.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { rulesIn } from '../../helpers/network-rules.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn } from '../../helpers/sample.ts';
import { client, isAlive, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

beforeAll(async () => {
  await buildLibrary();
  for (const fixture of ['counter', 'patient']) await compileFixture(fixture);
});

test('without free descriptors every operation fails with that cause, leaves nothing, and works afterwards', async () => {
  // criu inherits the limit, and needs 283 for a restore.
  const caller = await LibraryProcess.start(['prlimit', '--nofile=400']);
  const counter = await startCounting('counter');
  const { imagesDirectory: dumped } = await dumpedCounter(client());
  const imagesDirectory = await temporaryDirectory();
  const operations: readonly (readonly [string, object])[] = [
    ['version', {}],
    ['features', {}],
    ['check', {}],
    ['preflight', { pid: counter.pid }],
    ['pageServer', { imagesDirectory }],
    ['session', {}],
    ['dump', { pid: counter.pid, imagesDirectory, leaveRunning: true }],
    ['restore', { imagesDirectory: dumped }],
  ];
  const before = await caller.ask('holdings');
  const worked = new Set<string>();
  // Each operation takes its descriptors one after the other, and fails at each of them.
  for (let free = 0; worked.size < operations.length; free++) {
    expect(free).toBeLessThan(40);
    for (const [operation, options] of operations) {
      if (worked.has(operation)) continue;
      expect(await caller.ask('fill', { free })).toBe('EMFILE');
      const answer = await caller.do(operation, options);
      await caller.ask('empty');
      if (answer === 'ended') throw new Error(`${operation} ended its caller`);
      if (!answer.error) {
        worked.add(operation);
        // The caller holds a descriptor of the process while it lives.
        if (operation === 'restore') process.kill(answer.result as number, 'SIGKILL');
      } else {
        expect({ operation, free, ...answer.error }).toMatchObject({
          name: 'CriuError',
          code: 'ERR_CRIU_SYSTEM',
          errno: 24,
          message: expect.stringContaining('EMFILE'),
        });
      }
      await noMoreThan(caller, before);
    }
    if (free === 0) expect(worked.size).toBe(0);
  }
  await counter.countsOn();
  await noteFault('dump', {
    fault: 'no descriptors left in the caller',
    error: 'ERR_CRIU_SYSTEM, `errno` is EMFILE',
    workload: 'runs on',
    left: 'nothing',
  });
});

test.each(['version', 'preflight', 'spawn'])(
  'without free descriptors the first use fails with that cause, and a later one works: %s',
  async (operation) => {
    const caller = await LibraryProcess.unused(['prlimit', '--nofile=400']);
    const counter = await startCounting('counter');
    const options = { pid: counter.pid, file: '/bin/true' };
    for (let free = 0; ; free++) {
      expect(free).toBeLessThan(40);
      expect(await caller.ask('fill', { free })).toBe('EMFILE');
      const answer = await caller.do(operation, options);
      await caller.ask('empty');
      if (answer === 'ended') throw new Error(`${operation} ended its caller`);
      if (!answer.error) break;
      expect({ free, ...answer.error }).toMatchObject({
        name: 'CriuError',
        code: 'ERR_CRIU_SYSTEM',
        errno: 24,
        message: expect.stringMatching(/EMFILE|Too many open files/),
      });
    }
  },
);

test('a restore that runs out of descriptors fails with that cause, and restores nothing', async () => {
  const caller = await LibraryProcess.start(['prlimit', '--nofile=400']);
  const { counter, imagesDirectory } = await dumpedCounter(client());
  const before = await caller.ask('holdings');
  const error = await caller.failure('restoreWithout', {
    imagesDirectory,
    at: 'preRestore',
    free: 0,
  });
  await caller.ask('empty');
  expect(error).toMatchObject({
    code: 'ERR_CRIU_SYSTEM',
    errno: 24,
    message: expect.stringContaining('EMFILE'),
  });
  await waitGone(counter.pid);
  await noMoreThan(caller, before);
  await caller.ask('restore', { imagesDirectory });
  await counter.countsOn();
});

const locks = ['without a connection', 'iptables', 'nftables'] as const;
describe.each(locks)('the caller is killed during a dump (lock: %s)', (lock) => {
  const isConnected = lock !== 'without a connection';
  const options = isConnected ? { tcpEstablished: true, networkLock: lock } : {};

  const moments = [
    ['at preDump', 'preDump', undefined],
    ['at queryExtFiles', 'queryExtFiles', undefined],
    ['at postDump', 'postDump', undefined],
    ['while criu is at work', 'queryExtFiles', 20],
  ] as const;
  const what = `moments of a dump at which the caller is killed (lock: ${lock})`;

  test.each(oneIn(3, what, moments, locks.indexOf(lock)))(
    '%s: criu rolls back and ends',
    async (moment, at, afterMs) => {
      const namespace = await networkNamespace();
      const through = ['nsenter', `--net=${namespace}`];
      const caller = await LibraryProcess.start(through);
      const counter = await startCounting(isConnected ? 'patient' : 'counter', ['64'], through);
      const before = await holdings();
      const given = { ...options, imagesDirectory: await temporaryDirectory(), leaveRunning: true };
      const waits = afterMs === undefined;
      const pid = await caller.ask<number>('dumpUntil', { ...given, pid: counter.pid, at, waits });
      if (afterMs) await sleep(afterMs);
      process.kill(caller.pid, 'SIGKILL');
      await caller.ended;
      // PID 1 inherits it and reaps it later.
      await waitFor(async () => !(await isAlive(pid)), 'criu is dead');
      expect(await rulesIn(namespace)).toEqual([]);
      expect((await holdings()).children).toHaveLength(before.children.length - 1);
      await expectIntact(client(), counter, await holdings(), options);
      await noteFault('dump', {
        fault: `caller killed ${afterMs ? moment : `at ${steps[at]}`}, ${isConnected ? `connections locked by ${lock}` : lock}`,
        error: 'none: the caller is gone; criu rolls back and ends',
        workload: 'runs on',
        left: 'the images written so far',
      });
    },
  );
});

/** Waits for what may continue for a moment after an operation failed. */
async function noMoreThan(caller: LibraryProcess, before: unknown): Promise<void> {
  const asBefore = async () => isDeepStrictEqual(await caller.ask('holdings'), before);
  await waitFor(asBefore, 'it holds what it did before').catch(async () => {
    expect(await caller.ask('holdings')).toEqual(before);
  });
}
