import { constants, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import type { CriuError, CriuOpts } from '../../../src/index.ts';
import { isDying } from '../../../src/procfs/stat.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { callWithout } from '../../helpers/capabilities.ts';
import {
  type Counting,
  counting,
  countsInOrder,
  dumpedCounter,
  runningCriu,
  startFamily,
  startTalker,
  steps,
} from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { networkNamespace, startThrough } from '../../helpers/namespaces.ts';
import { type Holdings, holdings } from '../../helpers/own-resources.ts';
import { seeded } from '../../helpers/random.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn, sample, testSeed } from '../../helpers/sample.ts';
import { takePid } from '../../helpers/take-pid.ts';
import { client, isAlive, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

/** The steps of a restore before and after the point of no return. */
const earlySteps = ['preRestore', 'setupNamespaces', 'postSetupNamespaces', 'postRestore'] as const;
const unlocked = 'networkUnlock';
const lateSteps = ['preResume', 'postResume'] as const;
const allSteps = [...earlySteps, unlocked, ...lateSteps] as const;
/** Every step, with and without asChild. */
const everyCase = allSteps.flatMap((step) => [
  { step, asChild: true },
  { step, asChild: false },
]);
/** An environment variable that marks the criu processes of these tests, and their unfinished children. */
const MARK = `NODE_CRIU_FAULTS=${process.pid}`;

const script = join(import.meta.dirname, '../../fixtures/faulty-restore.mjs');

// Resources that are created once for all tests must not count as leaks of one test.
beforeAll(async () => {
  for (const fixture of ['counter', 'family', 'talk', 'take-pid']) await compileFixture(fixture);
  await buildLibrary();
});

beforeEach(() => {
  return () => {
    delete process.env.NODE_CRIU_FAULTS;
  };
});

/** A dumped workload. */
interface Dumped {
  readonly pid: number;
  /** The pids of all its processes. */
  readonly pids: readonly number[];
  readonly members: readonly Counting[];
  readonly options: CriuOpts & { imagesDirectory: string };
}

// Every test tries its faults one after the other, each on a workload of its own.
describe.each(['SIGKILL', 'SIGSTOP'] as const)('criu that gets %s', (signal) => {
  const stops = signal === 'SIGSTOP';

  test('at a notification leaves either no process or a complete one', async () => {
    const criu = client();
    // Each try waits for the deadline, so each step is tried once, alternately with and without asChild.
    const each = everyCase.filter((_, index) => !stops || index % 4 === 0 || index % 4 === 3);
    const cases = oneIn(5, `steps of a restore at which criu gets ${signal}`, each, Number(stops));
    const workloads = await dumpedTalkers(cases.length);
    markCrius();
    for (const [index, { step, asChild }] of cases.entries()) {
      const { pid, members, options } = at(workloads, index);
      const before = await holdings();
      let struck = false;
      const hook = async () => {
        process.kill(await runningCriu(), signal);
        struck = true;
        if (stops) await new Promise(() => {});
      };
      const restored = (deadlineMs: number) => {
        const limits = stops ? { deadlineMs, gracePeriodMs: 50 } : {};
        const given = { ...options, asChild, ...limits, hooks: { [step]: hook } };
        return criu.restore(given).then(
          () => undefined,
          (cause: CriuError) => cause,
        );
      };
      let error = await restored(1000);
      // If the deadline passes before criu is stopped, or so late that the restore succeeds, a longer one
      // is tried.
      for (let ms = 2000; ms < 20_000 && !struck; ms *= 2) {
        if (!error) process.kill(pid, 'SIGKILL');
        await waitGone(pid);
        error = await restored(ms);
      }
      const what = `${step}, asChild ${asChild}: ${error?.message}`;
      expect(error, what).toMatchObject({
        code: stops ? 'ERR_CRIU_TIMEOUT' : 'ERR_CRIU_EOF',
        operation: 'restore',
        exit: { code: null, signal: 'SIGKILL' },
        workload: isLate(step) ? 'running' : 'gone',
      });
      expect(await isAlive(pid), what).toBe(isLate(step));
      expect(await marked(), what).toEqual([]);
      if (isLate(step)) {
        expect(error?.pid, what).toBe(pid);
        for (const member of members) await member.countsOn();
        process.kill(pid, 'SIGKILL');
      }
      await untilHolding(before);
    }
    await restoreAll(workloads);

    for (const step of stepsOf(cases)) {
      await noteFault('restore', {
        fault: `criu ${stops ? 'stopped by SIGSTOP until the deadline' : 'killed by SIGKILL'} at ${steps[step]}`,
        error: stops ? 'ERR_CRIU_TIMEOUT' : 'ERR_CRIU_EOF',
        workload: isLate(step) ? 'runs' : 'nothing restored',
        left:
          isLate(step) || step === 'preRestore'
            ? 'nothing'
            : 'half-restored processes: the library kills them',
      });
    }
  });
});

test('SIGTERM at a notification does not interrupt a restore, because CRIU blocks it', async () => {
  const criu = client();
  const cases = oneIn(5, 'steps of a restore at which criu gets SIGTERM', everyCase);
  const workloads = await dumpedTalkers(cases.length);
  markCrius();
  for (const [index, { step, asChild }] of cases.entries()) {
    const { pid, members, options } = at(workloads, index);
    const before = await holdings();
    const hook = async () => void process.kill(await runningCriu(), 'SIGTERM');
    const restored = await criu.restore({ ...options, asChild, hooks: { [step]: hook } });
    expect(restored.pid).toBe(pid);
    for (const member of members) await member.countsOn();
    expect(await marked()).toEqual([]);
    restored.kill('SIGKILL');
    await restored.exited;
    await untilHolding(before);
  }
  await restoreAll(workloads);
  for (const step of stepsOf(cases)) {
    await noteFault('restore', {
      fault: `criu sent SIGTERM at ${steps[step]}`,
      error: 'none: CRIU blocks the signal',
      workload: 'runs',
      left: 'nothing',
    });
  }
});

test('criu killed at a random moment leaves either no process or the whole tree, and the error says which', async () => {
  const criu = client();
  const random = seeded(testSeed(4711));
  const workloads = await dumpedFamilies(sample('random kill moments of a restore', 30, 5));
  markCrius();
  const outcomes: string[] = [];
  for (const [index, { pid, pids, members, options }] of workloads.entries()) {
    const before = await holdings();
    const asChild = random(2) === 0;
    // From the start of criu, or from the moment when it begins to create processes.
    const fromStart = index > 0 && random(3) === 0;
    // The first one is killed before it creates any, so that one is gone, however quick the machine is.
    const delay = index === 0 ? 0 : random(fromStart ? 60_000 : 16_000) / 1000;
    const signal = fromStart && random(2) === 0 ? 'SIGTERM' : 'SIGKILL';
    const over = new AbortController();
    let killed = fromStart ? killAfter(delay, signal, over.signal) : undefined;
    const preRestore = async () => {
      killed ??= killAfter(delay, signal, over.signal);
      if (index === 0) await killed;
    };
    const outcome = await criu
      .restore({ ...options, asChild, hooks: { preRestore } })
      .catch((error: unknown) => error);
    over.abort();
    await killed;
    const what = `restore ${index}: asChild ${asChild}, ${signal} after ${delay} ms: ${outcome}`;
    if (outcome instanceof Error) {
      expect(outcome, what).toMatchObject({
        code: 'ERR_CRIU_EOF',
        exit: { code: null, signal },
        workload: expect.stringMatching(/^(gone|running)$/),
      });
    }
    const runs =
      !(outcome instanceof Error) || (outcome as { workload?: string }).workload !== 'gone';
    outcomes.push(runs ? 'runs' : 'gone');
    expect(await Promise.all(pids.map(isAlive)), what).toEqual(pids.map(() => runs));
    // A child with which criu probes the kernel may be about to end.
    await waitFor(async () => (await marked()).length === 0, `nothing is left of ${what}`);
    if (runs) {
      for (const member of members) await member.countsOn();
      process.kill(-pid, 'SIGKILL');
    }
    await untilHolding(before);
  }
  expect(outcomes).toContain('gone');
  await restoreAll(workloads);
  await noteFault('restore', {
    fault: 'criu killed by SIGKILL or SIGTERM at random moments',
    error: 'ERR_CRIU_EOF; none if it was done',
    workload: 'nothing restored, or runs: the error says which',
    left: 'half-restored processes: the library kills them',
  });
});

test('a restore fails if another process has the pid, and leaves that process alone', async () => {
  const criu = client();
  const each = (['root', 'child'] as const).flatMap((whose) =>
    (['before', 'meanwhile'] as const).flatMap((when) => [
      { whose, when, asChild: true },
      { whose, when, asChild: false },
    ]),
  );
  const cases = oneIn(5, 'moments at which another process takes a pid of a restore', each);
  const workloads = await dumpedFamilies(cases.length);
  markCrius();
  for (const [index, { whose, when, asChild }] of cases.entries()) {
    const { pid, pids, options } = at(workloads, index);
    const taken =
      whose === 'root'
        ? pid
        : at(
            pids.filter((each) => each !== pid),
            1,
          );
    let taker = when === 'before' ? await takePid(taken) : undefined;
    const before = await holdings();
    const preRestore = async () => {
      taker ??= await takePid(taken);
    };
    const error = await failureOf(criu.restore({ ...options, asChild, hooks: { preRestore } }));
    const what = `${whose}, ${when}, asChild ${asChild}: ${error.message}`;
    expect(error, what).toMatchObject({ code: 'ERR_CRIU_PID_BUSY', workload: 'gone' });
    expect(error.message).toContain(`pid ${taken} is in use`);
    expect(await readFile(`/proc/${taken}/comm`, 'utf8'), what).toBe('take-pid\n');
    expect(await isAlive(taken), what).toBe(true);
    expect(await Promise.all(pids.map(isAlive)), what).toEqual(pids.map((each) => each === taken));
    expect(await marked(), what).toEqual([]);
    if (when === 'before') expect(await holdings(), what).toEqual(before);
    process.kill(taken, 'SIGKILL');
    await taker?.ended;
  }
  await restoreAll(workloads);
  for (const whose of ['the root', 'a child']) {
    await noteFault('restore', {
      fault: `the pid of ${whose} taken by another process, before the restore or meanwhile`,
      error: 'ERR_CRIU_PID_BUSY',
      workload: 'nothing restored; the other process runs on',
      left: 'nothing',
    });
  }
});

test.each([1, 3])('criu with a limit of %i processes restores nothing', async (most) => {
  const criu = client();
  const workloads = await dumpedFamilies(2);
  markCrius();
  const group = await limitedGroup(most);
  for (const [index, { pids, options }] of workloads.entries()) {
    const before = await holdings();
    const preRestore = async () => {
      await writeFile(join(group, 'cgroup.procs'), `${await runningCriu()}`);
    };
    const asChild = index === 0;
    const error = await failureOf(criu.restore({ ...options, asChild, hooks: { preRestore } }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'gone' });
    expect(error.message).toContain('Resource temporarily unavailable');
    expect(await Promise.all(pids.map(isAlive))).toEqual(pids.map(() => false));
    expect(await marked()).toEqual([]);
    expect(await holdings()).toEqual(before);
  }
  await restoreAll(workloads);
  await noteFault('restore', {
    fault: `a pids control group in which criu can fork ${most === 1 ? 'nothing' : 'only a part of the tree'}`,
    error: 'ERR_CRIU_FAILED',
    workload: 'nothing restored',
    left: 'nothing',
  });
});

test.each([false, true])(
  'the error names an empty images directory (asChild: %s)',
  async (asChild) => {
    const imagesDirectory = await temporaryDirectory();
    const before = await holdings();
    markCrius();
    const error = await failureOf(client().restore({ imagesDirectory, asChild }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'gone' });
    expect(error.message).toContain(`is ${imagesDirectory} the right directory?`);
    expect(await marked()).toEqual([]);
    expect(await holdings()).toEqual(before);
    if (!asChild) return;
    await noteFault('restore', {
      fault: 'the images directory empty',
      error: 'ERR_CRIU_FAILED',
      workload: 'nothing restored',
      left: 'nothing',
    });
  },
);

test('a caller that is killed at a notification leaves either no process or a complete one', async () => {
  const cases = oneIn(5, 'steps of a restore at which the caller is killed', everyCase, 2);
  const workloads = await dumpedTalkers(cases.length);
  markCrius();
  await Promise.all(
    cases.map(async ({ step, asChild }, index) => {
      const { options } = at(workloads, index);
      const given = [criuPath(), step, 'hang', JSON.stringify({ ...options, asChild })];
      const caller = execa(process.execPath, [script, ...given], { reject: false });
      onTestFinished(() => void caller.kill('SIGKILL'));
      for await (const line of caller) if (line === `at ${step}`) caller.kill('SIGKILL');
      expect(await caller).toMatchObject({ signal: 'SIGKILL', stdout: `at ${step}` });
    }),
  );
  // criu notices, and ends as well.
  await waitFor(async () => (await marked()).length === 0, 'every criu has ended');
  for (const [index, { step, asChild }] of cases.entries()) {
    const { pid, members } = at(workloads, index);
    const runs = step === unlocked || isLate(step);
    // What criu has killed takes a while to die on a busy machine.
    const isRunning = (await isAlive(pid)) && !isDying(pid);
    expect(isRunning, `${step}, asChild ${asChild}`).toBe(runs);
    if (runs) {
      for (const member of members) await member.countsOn();
      process.kill(pid, 'SIGKILL');
    } else {
      await waitGone(pid);
    }
  }
  await restoreAll(workloads);
  for (const step of stepsOf(cases)) {
    const runs = step === unlocked || isLate(step);
    await noteFault('restore', {
      fault: `the caller killed by SIGKILL at ${steps[step]}`,
      error: 'none: the caller is gone',
      workload: runs ? 'runs' : 'nothing restored',
      left: 'nothing: criu ends by itself',
    });
  }
});

test.each([
  ['no space for a byte', 'size=32k', 'ERR_CRIU_BAD_IMAGE', 'running', /^restore is done, but /],
  ['no room for a file', 'nr_inodes=2', 'ERR_CRIU_FAILED', 'gone', /No space left on device/],
] as const)('a work directory with %s', async (what, limit, code, workload, message) => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const workDirectory = await fullDirectory(limit);
  const before = await holdings();
  markCrius();
  const error = await failureOf(criu.restore({ imagesDirectory, workDirectory, asChild: true }));
  expect(error).toMatchObject({ code, workload, operation: 'restore' });
  expect(error.message).toMatch(message);
  const runs = workload === 'running';
  expect(await isAlive(counter.pid)).toBe(runs);
  if (runs) {
    expect(error.pid).toBe(counter.pid);
    await counter.countsOn();
    process.kill(counter.pid, 'SIGKILL');
    // The caller has no handle to wait for it, but no zombie stays.
  }
  await waitGone(counter.pid);
  expect(await marked()).toEqual([]);
  expect(await holdings()).toEqual(before);
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  await noteFault('restore', {
    fault: `a work directory with ${what}`,
    error: code,
    workload: runs ? 'runs; only its statistics are missing' : 'nothing restored',
    left: 'nothing',
  });
});

test.each(['iptables', 'nftables'] as const)(
  'a failed restore leaves the connection locked (%s), and the next one unlocks it',
  async (networkLock) => {
    const namespace = await networkNamespace();
    const inside = ['nsenter', `--net=${namespace}`] as const;
    const file = join(await temporaryDirectory(), 'numbers');
    const talk = await compileFixture('talk');
    const { pid } = await startThrough(inside, talk, [file]);
    const counter = counting(file, pid);
    await counter.countsOn();
    const list = networkLock === 'iptables' ? ['iptables-save'] : ['nft', 'list', 'ruleset'];
    const rules = async () =>
      (await execa(inside[0], [inside[1], ...list])).stdout
        .split('\n')
        .filter((line) => /DROP|drop/.test(line));
    const imagesDirectory = await temporaryDirectory();
    const options = { imagesDirectory, tcpEstablished: true, networkLock };
    expect(await callWithout([...inside], 'dump', [pid, options])).toHaveProperty('done');
    await waitGone(pid);
    const locked = await rules();
    expect(locked.length).toBeGreaterThan(0);

    const restore = async (step: string, action: string) => {
      const given = [criuPath(), step, action, JSON.stringify(options)];
      const { stdout } = await execa(inside[0], [inside[1], process.execPath, script, ...given]);
      return JSON.parse(stdout);
    };
    for (const step of ['preRestore', 'postRestore']) {
      expect(await restore(step, 'SIGKILL'), step).toMatchObject({
        code: 'ERR_CRIU_EOF',
        workload: 'gone',
      });
      expect(await rules(), step).toEqual(locked);
      await waitGone(pid);
    }
    expect(await restore('none', '')).toEqual({ pid });
    expect(await rules()).toEqual([]);
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);
    await noteFault('restore', {
      fault: `criu killed while the dump’s lock of a connection is in place (${networkLock})`,
      error: 'ERR_CRIU_EOF',
      workload: 'nothing restored',
      left: 'the lock, which keeps the connection for the next restore: that removes it',
    });
  },
);

/** The steps of the cases that were tried. */
function stepsOf(cases: typeof everyCase): Set<(typeof allSteps)[number]> {
  return new Set(cases.map(({ step }) => step));
}

/** Marks the criu processes that start from now on. */
function markCrius(): void {
  process.env.NODE_CRIU_FAULTS = String(process.pid);
}

/** The marked criu processes, including those that will become restored processes. */
async function marked(): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return environ.split('\0').includes(MARK) ? [pid] : [];
    }),
  );
  return found.flat();
}

/** Restores a dumped workload, whose pids are free again, and checks that it continues. */
async function restoreAll(workloads: readonly Dumped[]): Promise<void> {
  for (const { pids } of workloads) for (const pid of pids) await waitGone(pid);
  const criu = client();
  for (const { pid, members, options } of workloads) {
    const restored = await criu.restore({ ...options, asChild: true });
    expect(restored.pid).toBe(pid);
    for (const member of members) await member.countsOn();
  }
  expect(await marked()).toEqual([]);
}

/** Dumped programs in network namespaces, whose restore has all steps. */
async function dumpedTalkers(count: number): Promise<Dumped[]> {
  const criu = client();
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const { counter, options } = await startTalker();
      const imagesDirectory = await temporaryDirectory();
      await criu.dump(counter.pid, { ...options, imagesDirectory });
      await waitGone(counter.pid);
      const { pid } = counter;
      return { pid, pids: [pid], members: [counter], options: { ...options, imagesDirectory } };
    }),
  );
}

/** Dumped trees of four processes. */
async function dumpedFamilies(count: number): Promise<Dumped[]> {
  const criu = client();
  const workloads = await Promise.all(
    Array.from({ length: count }, async () => {
      const { pid, members } = await startFamily();
      const imagesDirectory = await temporaryDirectory();
      await criu.dump(pid, { imagesDirectory });
      const pids = (await readdir(imagesDirectory))
        .filter((name) => name.startsWith('core-'))
        .map((name) => Number.parseInt(name.slice('core-'.length), 10));
      expect(pids).toHaveLength(4);
      return { pid, pids, members, options: { imagesDirectory } };
    }),
  );
  for (const { pids } of workloads) for (const pid of pids) await waitGone(pid);
  return workloads;
}

/** Sends criu a signal some milliseconds after its start, unless it has ended by then. */
async function killAfter(ms: number, signal: NodeJS.Signals, over: AbortSignal): Promise<void> {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  let pid: number | undefined;
  for (let until = Infinity; performance.now() < until; await turn()) {
    if (over.aborted) return;
    if (pid === undefined) {
      pid = await runningCriu().catch(() => undefined);
      if (pid !== undefined) until = performance.now() + ms;
    }
  }
  try {
    if (pid !== undefined && !over.aborted) process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Waits until the resources of a killed process are released. */
async function untilHolding(before: Holdings): Promise<void> {
  const now = async () => JSON.stringify(await holdings());
  await waitFor(async () => (await now()) === JSON.stringify(before), 'nothing is left behind');
}

/** Creates a cgroup with a limit of processes; it is removed after the test. */
async function limitedGroup(most: number): Promise<string> {
  const root = '/sys/fs/cgroup';
  const hierarchy = existsSync(`${root}/pids`) ? `${root}/pids` : root;
  if (hierarchy === root) await writeFile(`${root}/cgroup.subtree_control`, '+pids');
  const group = `${hierarchy}/node-criu-faults-${process.pid}-${most}`;
  await mkdir(group);
  onTestFinished(async () => {
    // A cgroup contains zombies until they are reaped.
    const removed = () =>
      rmdir(group).then(
        () => true,
        () => false,
      );
    await waitFor(removed, `${group} is empty`);
  });
  await writeFile(join(group, 'pids.max'), `${most}`);
  return group;
}

/** A full file system. */
async function fullDirectory(limit: string): Promise<string> {
  const directory = await temporaryDirectory();
  await execa('mount', ['-t', 'tmpfs', '-o', limit, 'node-criu', directory]);
  onTestFinished(async () => void (await execa('umount', ['-l', directory])));
  const file = await open(join(directory, 'filler'), constants.O_WRONLY | constants.O_CREAT);
  try {
    if (limit.startsWith('size')) for (;;) await file.write(Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    await file.close();
  }
  return directory;
}

function isLate(step: string): boolean {
  return lateSteps.some((late) => late === step);
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`there is no ${index} in ${list.length}`);
  return item;
}
