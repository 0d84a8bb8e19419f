import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import type { Hooks } from '../../../src/index.ts';
import {
  countsInOrder,
  dumpedCounter,
  dumpedFamily,
  runningCriu,
  startTalker,
  steps,
} from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { type Holdings, holdings } from '../../helpers/own-resources.ts';
import { oneIn } from '../../helpers/sample.ts';
import {
  client,
  isAlive,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

// Resources that are created once for all tests must not count as leaks of one test.
beforeAll(async () => {
  for (const fixture of ['counter', 'family', 'talk']) await compileFixture(fixture);
});

const dumpSteps = ['preDump', 'networkLock', 'queryExtFiles', 'postDump'] as const;
const earlySteps = ['preRestore', 'setupNamespaces', 'postSetupNamespaces', 'postRestore'] as const;
const lateSteps = ['networkUnlock', 'preResume', 'postResume'] as const;
type Step = keyof typeof steps;

/** A way to cancel from within a hook, and the resulting error. */
interface Way {
  options: { signal?: AbortSignal; deadlineMs?: number; gracePeriodMs?: number };
  hook: () => Promise<void>;
  error: { code: string; cause?: unknown };
}

/** Cancellations after which CRIU itself rolls back. */
const gentle = {
  'a signal that the hook aborts': () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const hook = async () => {
      await sleep(5);
      controller.abort(reason);
    };
    const error = { code: 'ERR_CRIU_ABORTED', cause: reason };
    return { options: { signal: controller.signal }, hook, error };
  },
  'a signal while the hook hangs': () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const hook = async () => {
      setTimeout(() => controller.abort(reason), 5);
      await never();
    };
    const error = { code: 'ERR_CRIU_ABORTED', cause: reason };
    return { options: { signal: controller.signal }, hook, error };
  },
  'the deadline while the hook hangs': (deadlineMs) => {
    return { options: { deadlineMs }, hook: never, error: { code: 'ERR_CRIU_TIMEOUT' } };
  },
} satisfies Record<string, (deadlineMs: number) => Way>;

/** Cancellations to which criu does not react, so that it is killed. */
const forced = {
  'a signal': () => {
    const controller = new AbortController();
    const hook = async () => {
      process.kill(await runningCriu(), 'SIGSTOP');
      controller.abort('enough');
    };
    const error = { code: 'ERR_CRIU_ABORTED', cause: 'enough' };
    return { options: { signal: controller.signal, gracePeriodMs: 100 }, hook, error };
  },
  'the deadline': (deadlineMs) => {
    const hook = async () => {
      process.kill(await runningCriu(), 'SIGSTOP');
      await never();
    };
    const options = { deadlineMs, gracePeriodMs: 100 };
    return { options, hook, error: { code: 'ERR_CRIU_TIMEOUT' } };
  },
} satisfies Record<string, (deadlineMs: number) => Way>;

/**
 * Makes an operation that is cancelled from within a hook. If the deadline passes before criu reaches the
 * hook, as it may on a busy machine, the operation is made again with a longer one.
 * @param undo undoes an operation that has succeeded before the hook was reached
 */
async function cancelledBy<T>(
  way: (deadlineMs: number) => Way,
  operate: (limits: Way['options'], hook: Way['hook']) => Promise<T>,
  undo: (outcome: T) => void = () => {},
): Promise<{ outcome: T; expected: Way['error'] }> {
  for (let deadlineMs = 1500; ; deadlineMs *= 2) {
    const { options, hook, error: expected } = way(deadlineMs);
    let isReached = false;
    const operation = operate(options, () => {
      isReached = true;
      return hook();
    });
    await operation.catch(() => {});
    if (isReached || deadlineMs > 20_000) return { outcome: await operation, expected };
    await operation.then(undo, () => {});
  }
}

describe.each(Object.entries(gentle))('a dump that is cancelled by %s', (by, way) => {
  const first = Object.keys(gentle).indexOf(by);
  const tried = oneIn(6, `steps of a dump that is cancelled by ${by}`, dumpSteps, first);
  test.each(tried)('at %s is rolled back, and the process continues', async (step) => {
    const { criu, counter, options, before } = await talker();
    let called: string[] = [];
    const { outcome: error, expected } = await cancelledBy(way, (limits, hook) => {
      called = [];
      const hooks = hooksWith(step, hook, called);
      return failureOf(criu.dump(counter.pid, { ...options, ...limits, hooks }));
    });
    expect(error).toMatchObject({
      operation: 'dump',
      pid: counter.pid,
      cancelled: 'refused',
      workload: 'running',
      ...expected,
    });
    expect(error.message).toMatch(/, and CRIU rolled back \(the processes run on\)$/);
    expect(called.filter((name) => name !== 'networkUnlock')).toEqual(
      dumpSteps.slice(0, dumpSteps.indexOf(step) + 1),
    );
    expect(await holdings()).toEqual(before);
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);

    await criu.dump(counter.pid, options);
    await counter.ended;
  });
});

test('a dump with complete images and an unlocked network can no longer be cancelled', async () => {
  const { criu, counter, options, before } = await talker();
  const { options: limits, hook } = gentle['a signal that the hook aborts']();
  const hooks = { networkUnlock: hook };
  await criu.dump(counter.pid, { ...options, ...limits, leaveRunning: true, hooks });
  expect(await holdings()).toEqual(before);
  await counter.countsOn();
});

describe('a dump that is cancelled while criu is stopped', () => {
  const cases = [
    ['preDump', 'a signal', counting],
    ['queryExtFiles', 'a signal', counting],
    ['postDump', 'a signal', counting],
    ['postDump', 'the deadline', counting],
    // At later steps a killed criu would leave the connection in repair mode.
    ['networkLock', 'a signal', talker],
  ] as const;
  const tried = oneIn(2, 'steps of a dump that is cancelled while criu is stopped', cases);
  test.each(tried)('at %s by %s is killed, and the process runs on', async (step, by, start) => {
    const { criu, counter, options, before } = await start();
    const { outcome: error, expected } = await cancelledBy(forced[by], (limits, hook) => {
      const hooks = hooksWith(step, hook);
      return failureOf(criu.dump(counter.pid, { ...options, ...limits, hooks }));
    });
    expect(error).toMatchObject({
      operation: 'dump',
      pid: counter.pid,
      cancelled: 'killed',
      workload: 'running',
      exit: { code: null, signal: 'SIGKILL' },
      ...expected,
    });
    expect(error.message).toMatch(
      /, and criu had to be killed after 100 ms \(the processes run on\)$/,
    );
    expect(await holdings()).toEqual(before);
    await counter.countsOn();

    await criu.dump(counter.pid, options);
    await waitGone(counter.pid);
    await criu.restore(options);
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);
  });
});

describe.each([false, true])('with asChild %s', (asChild) => {
  describe.each(Object.entries(gentle))('a restore that is cancelled by %s', (by, way) => {
    const what = `steps of a restore (asChild: ${asChild}) that is cancelled by ${by}`;
    const first = Object.keys(gentle).indexOf(by) + 2 * Number(asChild);
    const early = oneIn(6, `early ${what}`, earlySteps, first);
    test.each(early)('at %s is rolled back, and nothing is restored', async (step) => {
      const { criu, counter, options, before } = await dumpedTalker();
      let called: string[] = [];
      const { outcome: error, expected } = await cancelledBy(way, (limits, hook) => {
        called = [];
        const hooks = hooksWith(step, hook, called);
        return failureOf(criu.restore({ ...options, ...limits, asChild, hooks }));
      });
      expect(error).toMatchObject({
        operation: 'restore',
        cancelled: 'refused',
        workload: 'gone',
        ...expected,
      });
      expect(error.message).toMatch(/, and CRIU rolled back \(nothing was restored\)$/);
      expect(called).toEqual(earlySteps.slice(0, earlySteps.indexOf(step) + 1));
      await expectNothingRestored(counter.pid, before);

      await criu.restore({ ...options, asChild });
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);
    });

    const late = oneIn(4, `late ${what}`, lateSteps, first);
    test.each(late)('at %s comes too late: the process is restored', async (step) => {
      const restoring = async (limits: Way['options'], hook: Way['hook']) => {
        const { criu, counter, options } = await dumpedTalker();
        const hooks = hooksWith(step, hook);
        return { counter, restored: await criu.restore({ ...options, ...limits, asChild, hooks }) };
      };
      const { outcome } = await cancelledBy(way, restoring, ({ restored }) => {
        restored.kill('SIGKILL');
      });
      const { counter, restored } = outcome;
      expect(restored.pid).toBe(counter.pid);
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);
      restored.kill('SIGKILL');
      const signal = asChild ? 'SIGKILL' : null;
      expect(await restored.exited).toEqual({ code: null, signal });
    });
  });

  describe('a restore that is cancelled while criu is stopped', () => {
    const what = `steps of a restore (asChild: ${asChild}) at which criu is stopped`;
    const cases = [
      ...earlySteps.map((step) => [step, 'a signal'] as const),
      ['postRestore', 'the deadline'],
      ['networkUnlock', 'a signal'],
    ] as const;
    const early = oneIn(4, `early ${what}`, cases, Number(asChild));
    test.each(early)(
      'at %s by %s is killed, with what it has begun to restore',
      async (step, by) => {
        const { criu, counter, options, before } = await dumpedTalker();
        const { outcome: error, expected } = await cancelledBy(forced[by], (limits, hook) => {
          const hooks = hooksWith(step, hook);
          return failureOf(criu.restore({ ...options, ...limits, asChild, hooks }));
        });
        expect(error).toMatchObject({
          operation: 'restore',
          cancelled: 'killed',
          exit: { code: null, signal: 'SIGKILL' },
          workload: 'gone',
          ...expected,
        });
        expect(error.message).toMatch(
          /, and criu had to be killed after 100 ms \(nothing was restored\)$/,
        );
        await expectNothingRestored(counter.pid, before);

        await criu.restore({ ...options, asChild });
        await counter.countsOn();
        expect(await countsInOrder(counter)).toBe(true);
      },
    );

    const late = ['preResume', 'postResume'] as const;
    test.each(oneIn(2, `late ${what}`, late, Number(asChild)))(
      'at %s is killed, and the process runs nevertheless',
      async (step) => {
        const { criu, counter, options } = await dumpedTalker();
        const { options: limits, hook, error: expected } = forced['a signal']();
        const given = { ...options, ...limits, asChild, hooks: hooksWith(step, hook) };
        const error = await failureOf(criu.restore(given));
        expect(error).toMatchObject({
          cancelled: 'killed',
          exit: { code: null, signal: 'SIGKILL' },
          workload: 'running',
          pid: counter.pid,
          ...expected,
        });
        expect(error.message).toMatch(/ \(the restored processes run\)$/);
        await counter.countsOn();
        expect(await countsInOrder(counter)).toBe(true);
        process.kill(counter.pid, 'SIGKILL');
        await waitGone(counter.pid);
      },
    );
  });

  test('a half-restored tree is killed with criu', async () => {
    const criu = client();
    const { pids, members, imagesDirectory } = await dumpedFamily(criu);
    const before = await holdings();
    const { options: limits, hook } = forced['a signal']();
    const given = { imagesDirectory, asChild, ...limits };
    const error = await failureOf(criu.restore({ ...given, hooks: { postRestore: hook } }));
    expect(error).toMatchObject({ cancelled: 'killed', workload: 'gone' });
    for (const each of pids) await waitGone(each);
    expect(await holdings()).toEqual(before);
    await criu.restore({ imagesDirectory, asChild });
    for (const member of members) await member.countsOn();
  });
});

test.each([false, true])(
  'a restore in which CRIU loops is killed with its processes (asChild: %s)',
  async (asChild) => {
    const criu = client();
    const { counter, imagesDirectory } = await dumpedCounter(criu);
    const before = await holdings();
    // CRIU 4.2 reads endlessly at the end of a truncated file.
    await truncate(join(imagesDirectory, 'pages-1.img'), 4096);
    const limits = { deadlineMs: 1000, gracePeriodMs: 200 };
    const error = await failureOf(
      criu.restore({ imagesDirectory, asChild, logLevel: 1, ...limits }),
    );
    expect(error).toMatchObject({
      code: 'ERR_CRIU_TIMEOUT',
      cancelled: 'killed',
      workload: 'gone',
    });
    await expectNothingRestored(counter.pid, before);
  },
);

test.each(['version', 'features', 'check'] as const)(
  '%s can be cancelled while criu does not answer',
  async (operation) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'criu');
    await writeFile(path, `#!/bin/sh\ntouch ${directory}/started\nexec sleep 1000\n`, {
      mode: 0o700,
    });
    const before = await holdings();
    const controller = new AbortController();
    const asked = failureOf(
      client({ path })[operation]({ signal: controller.signal, gracePeriodMs: 100 }),
    );
    const started = async () => (await readdir(directory)).includes('started');
    await waitFor(started, 'it has started');
    controller.abort('enough');
    expect(await asked).toMatchObject({ code: 'ERR_CRIU_ABORTED', operation, cause: 'enough' });
    expect(await holdings()).toEqual(before);
  },
);

test('check can be cancelled while it asks for the version', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'criu');
  // The first request is CHECK.
  const script = `#!/bin/sh
    mkdir ${directory}/checked && exec ${criuPath()} "$@"
    touch ${directory}/started
    exec sleep 1000`;
  await writeFile(path, `${script}\n`, { mode: 0o700 });
  const before = await holdings();
  const controller = new AbortController();
  const asked = failureOf(
    client({ path }).check({ signal: controller.signal, gracePeriodMs: 100 }),
  );
  const started = async () => (await readdir(directory)).includes('started');
  await waitFor(started, 'it is asked for the version');
  controller.abort('enough');
  expect(await asked).toMatchObject({ code: 'ERR_CRIU_ABORTED', cause: 'enough' });
  expect(await holdings()).toEqual(before);
});

test('an operation that is cancelled before it starts has no effect', async () => {
  const criu = client();
  const counter = await startCounter();
  const { counter: dumped, imagesDirectory } = await dumpedCounter(criu);
  const unused = join(await temporaryDirectory(), 'unused');
  const before = await holdings();
  const signal = AbortSignal.abort('enough');
  const called: string[] = [];
  const hooks = { onNotify: ({ script }: { script: string }) => void called.push(script) };
  for (const call of [
    () => criu.dump(counter.pid, { imagesDirectory: unused, signal, hooks }),
    () => criu.restore({ imagesDirectory, signal, hooks }),
    () => criu.check({ signal }),
    () => criu.version({ signal }),
  ]) {
    expect(await failureOf(call)).toMatchObject({ code: 'ERR_CRIU_ABORTED', cause: 'enough' });
  }
  expect(called).toEqual([]);
  expect(await readdir(unused).catch(({ code }) => code)).toBe('ENOENT');
  expect(await isAlive(dumped.pid)).toBe(false);
  expect(await holdings()).toEqual(before);
  await counter.countsOn();
});

test('a signal that is aborted afterwards has no effect', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const controller = new AbortController();
  await criu.restore({ imagesDirectory, signal: controller.signal, deadlineMs: 60_000 });
  controller.abort();
  await counter.countsOn();
});

/** Hooks for all steps, one of which runs the action. */
function hooksWith(step: Step, hook: () => Promise<void>, called: string[] = []): Hooks {
  const all = (Object.keys(steps) as Step[]).map((name) => {
    const own = async () => {
      called.push(name);
      if (name === step) await hook();
      return [];
    };
    return [name, own];
  });
  return Object.fromEntries(all);
}

/** A program with a network namespace and a connection, for which CRIU has the most steps. */
async function talker() {
  const criu = client();
  await criu.version();
  const { counter, options } = await startTalker();
  const imagesDirectory = await temporaryDirectory();
  return { criu, counter, options: { ...options, imagesDirectory }, before: await holdings() };
}

/** A program without connections or namespaces of its own. */
async function counting() {
  const criu = client();
  await criu.version();
  const counter = await startCounter();
  const options = { imagesDirectory: await temporaryDirectory() };
  return { criu, counter, options, before: await holdings() };
}

async function dumpedTalker() {
  const { criu, counter, options } = await talker();
  await criu.dump(counter.pid, options);
  await waitGone(counter.pid);
  return { criu, counter, options, before: await holdings() };
}

async function expectNothingRestored(pid: number, before: Holdings) {
  expect(await isAlive(pid)).toBe(false);
  expect(await holdings()).toEqual(before);
  await waitGone(pid);
}

function never(): Promise<never> {
  return new Promise(() => {});
}

test('a dump that is cancelled before criu is asked names the process and its state', async () => {
  const counter = await startCounter();
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const hooks = { preDump: () => expect.unreachable() };
  // It aborts while the options are read, before criu has started.
  const controller = new AbortController();
  const dumping = client().dump(counter.pid, { imagesDirectory, hooks, signal: controller.signal });
  controller.abort();
  expect(await failureOf(dumping)).toMatchObject({
    ...{ code: 'ERR_CRIU_ABORTED', operation: 'dump', pid: counter.pid, workload: 'running' },
  });
  await counter.countsOn();
});
