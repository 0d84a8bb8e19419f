import { readdir, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import {
  countsInOrder,
  runningCriu,
  startCounting,
  startFamily,
  steps,
} from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { inTheSameNamespace, scenes, strike } from '../../helpers/dump-scenes.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { rulesIn } from '../../helpers/network-rules.ts';
import { startObstacle } from '../../helpers/obstacle.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { seeded } from '../../helpers/random.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn, sample, testSeed } from '../../helpers/sample.ts';
import {
  client,
  isAlive,
  processState,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

beforeAll(async () => {
  await buildLibrary();
  for (const fixture of ['counter', 'family', 'patient']) await compileFixture(fixture);
});

const SEED = testSeed(20_240_607);
const ROUNDS = sample('random kill moments of a dump', 8, 2);

/** The leftovers when connections were in repair mode, in which reads fail. */
const mayHaveFailed = [
  expect.stringMatching(/^[12] TCP sockets? whose reads may have failed with EPERM$/),
];

const triedScenes = oneIn(4, 'scenes of a dump with faults', Object.entries(scenes));
describe.each(triedScenes)('a dump (%s)', (name, enter) => {
  test('leaves nothing when criu is killed at a step, and the process continues', async () => {
    const scene = await enter();
    const { counter } = scene;
    const before = await scene.left();
    for (const at of scene.steps) {
      const connected = at === 'postDump' && name !== 'without connections';
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        const error = await scene.dumpWith({ at, signal });
        expect(error).toMatchObject({
          code: 'ERR_CRIU_EOF',
          pid: counter.pid,
          workload: 'running',
          exit: { code: null, signal },
          leftovers: connected ? mayHaveFailed : [],
        });
        expect(error?.message).toContain(`criu was killed by ${signal} without a reply`);
        expect(await scene.left()).toEqual(before);
        await counter.countsOn();
      }
      await noteFault('dump', {
        fault: `criu killed by SIGKILL or SIGTERM at ${steps[at]}, ${name}`,
        error: 'ERR_CRIU_EOF',
        workload: 'runs on',
        left: connected ? 'reads may have failed with EPERM: `leftovers` says so' : 'nothing',
      });
    }
    await scene.dumpAndRestore();
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);
  });

  test('leaves nothing when criu is killed at a random moment, and the error has the state of the process', async () => {
    const scene = await enter('64');
    const before = await scene.left();
    const random = seeded(SEED);
    // The first dump takes longer than later ones.
    const durations: number[] = [];
    for (let times = 0; times < 3; times++) {
      const start = performance.now();
      expect(await scene.dumpWith({ at: 'preDump', signal: 0 })).toBeUndefined();
      durations.push(performance.now() - start);
    }
    // A dump's duration includes the time before the first step.
    let span = Math.ceil(Math.min(...durations) * 0.8);
    for (let killed = 0; killed < ROUNDS; ) {
      const afterMs = random(span * 10) / 10;
      const signal = random(2) ? 'SIGKILL' : 'SIGTERM';
      const error = await scene.dumpWith({ at: 'preDump', afterMs, signal });
      const { counter } = scene;
      if (error) {
        expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', exit: { code: null, signal } });
        expect(['running', 'gone']).toContain(error.workload);
        if (error.leftovers?.length) expect(error.leftovers).toEqual(mayHaveFailed);
      }
      if (error?.workload === 'gone') {
        await waitGone(counter.pid);
        await scene.revive();
      } else {
        await counter.countsOn();
        expect(await countsInOrder(counter)).toBe(true);
      }
      expect(await scene.left()).toEqual(before);
      // A dump may end before the moment: the ones measured may have met a busier machine.
      if (error) killed++;
      else span = Math.ceil(span * 0.8);
    }
    await scene.dumpAndRestore();
    await scene.counter.countsOn();
    await noteFault('dump', {
      fault: `criu killed at random moments, ${name}, 64 MiB`,
      error: 'ERR_CRIU_EOF',
      workload: 'runs on; or gone, if it was running code of CRIU: `workload` says which',
      left: name === 'without connections' ? 'nothing' : 'nothing, but for EPERM as above',
    });
  });

  test('leaves nothing when criu is stopped until the deadline', async () => {
    const scene = await enter('64');
    const before = await scene.left();
    for (const blow of [{ at: 'postDump' }, { at: 'queryExtFiles', afterMs: 12 }] as const) {
      const stopped = async (deadlineMs: number) =>
        await scene.dumpWith({ ...blow, signal: 'SIGSTOP' }, { deadlineMs, gracePeriodMs: 100 });
      let error = await stopped(400);
      // If the deadline passes before criu is stopped, a longer one is tried.
      for (let ms = 800; ms < 10_000 && !error?.struck; ms *= 2) {
        if (error?.workload === 'gone') {
          await waitGone(scene.counter.pid);
          await scene.revive();
        }
        error = await stopped(ms);
      }
      expect(error).toMatchObject({
        code: 'ERR_CRIU_TIMEOUT',
        cancelled: 'killed',
        exit: { code: null, signal: 'SIGKILL' },
      });
      if (error?.workload === 'gone') {
        expect(blow.at).toBe('queryExtFiles');
        await waitGone(scene.counter.pid);
        await scene.revive();
      } else {
        expect(error?.workload).toBe('running');
        await scene.counter.countsOn();
      }
      expect(await scene.left()).toEqual(before);
    }
    await scene.dumpAndRestore();
    await scene.counter.countsOn();
    await noteFault('dump', {
      fault: `criu stopped by SIGSTOP until the deadline, ${name}`,
      error: 'ERR_CRIU_TIMEOUT, `cancelled` is killed',
      workload: 'runs on; or gone, as if criu was killed',
      left: name === 'without connections' ? 'nothing' : 'nothing, but for EPERM as above',
    });
  });
});

test.each([
  ['iptables', '::1'],
  ['nftables', '::1'],
  // CRIU locks it as IPv4.
  ['iptables', '::ffff:127.0.0.1'],
] as const)(
  'a connection locked by %s over %s is unlocked when criu is killed',
  async (...lock) => {
    const [networkLock, address] = lock;
    const scene = await inTheSameNamespace(networkLock, '0', address);
    const before = await scene.left();
    const error = await scene.dumpWith({ at: 'postDump', signal: 'SIGKILL' });
    expect(error).toMatchObject({ workload: 'running', leftovers: mayHaveFailed });
    expect(await scene.left()).toEqual(before);
    await scene.counter.countsOn();
    await scene.dumpAndRestore();
    await scene.counter.countsOn();
    expect(await countsInOrder(scene.counter)).toBe(true);
  },
);

describe.each(['iptables', 'nftables'] as const)('a lock by %s', (networkLock) => {
  test('that a configuration file sets is removed after criu is killed', async () => {
    const configFile = join(await temporaryDirectory(), 'criu.conf');
    await writeFile(configFile, `tcp-established\nnetwork-lock ${networkLock}\n`);
    await expectUnlocked({}, { configFile });
  });

  test("that the client's defaults set is removed after criu is killed", async () => {
    // An undefined option does not override the default.
    const undecided = { tcpEstablished: undefined, networkLock: undefined } as object;
    await expectUnlocked({ tcpEstablished: true, networkLock }, undecided);
  });
});

/** Checks that two connections, locked one by one, are unlocked after criu is killed. */
async function expectUnlocked(defaults: object, options: object): Promise<void> {
  const namespace = await networkNamespace();
  const through = ['nsenter', `--net=${namespace}`];
  const caller = await LibraryProcess.start(through, defaults);
  const counter = await startCounting('patient', [], through);
  const imagesDirectory = await temporaryDirectory();
  const blow = { pid: counter.pid, at: 'postDump', signal: 'SIGKILL', leaveRunning: true };
  expect(await caller.failure('dumpWith', { ...blow, ...options, imagesDirectory })).toMatchObject({
    workload: 'running',
    leftovers: mayHaveFailed,
  });
  expect(await rulesIn(namespace)).toEqual([]);
  await counter.countsOn();
}

test('the network lock of an earlier dump stays when a later dump is killed', async () => {
  const criu = client();
  const namespace = await networkNamespace();
  const through = ['nsenter', `--net=${namespace}`];
  const [first, second] = [
    await startCounting('patient', [], through),
    await startCounting('patient', [], through),
  ];
  for (const networkLock of ['iptables', 'nftables'] as const) {
    const options = {
      tcpEstablished: true,
      networkLock,
      imagesDirectory: await temporaryDirectory(),
    };
    const victim = networkLock === 'iptables' ? first : second;
    await criu.dump(victim.pid, options);
    const locked = await rulesIn(namespace);
    expect(locked.length).toBeGreaterThan(0);
    const third = await startCounting('counter', [], through);
    const hook = async () => void strike(await runningCriu(), 'SIGKILL');
    const given = { ...options, imagesDirectory: await temporaryDirectory() };
    await expect(
      criu.dump(third.pid, { ...given, hooks: { postDump: hook } }),
    ).rejects.toMatchObject({ code: 'ERR_CRIU_EOF', leftovers: [] });
    expect(await rulesIn(namespace)).toEqual(locked);
  }
});

test('all processes of a tree continue when criu is killed while they are frozen', async () => {
  const criu = client();
  const { pid, members } = await startFamily();
  const before = await holdings();
  for (const at of ['queryExtFiles', 'postDump']) {
    const hook = async () => {
      strike(await runningCriu(), 'SIGKILL');
      return [];
    };
    const imagesDirectory = await temporaryDirectory();
    const dump = criu.dump(pid, { imagesDirectory, hooks: { [at]: hook } });
    await expect(dump).rejects.toMatchObject({ workload: 'running', leftovers: [] });
    for (const member of members) await member.countsOn();
    expect(await holdings()).toEqual(before);
  }
});

test('a process that was stopped before the dump stays stopped after criu is killed', async () => {
  const criu = client();
  const counter = await startCounting('counter');
  process.kill(counter.pid, 'SIGSTOP');
  await waitFor(async () => (await processState(counter.pid)) === 'T', 'it is stopped');
  const hook = async () => void strike(await runningCriu(), 'SIGKILL');
  const imagesDirectory = await temporaryDirectory();
  await expect(
    criu.dump(counter.pid, { imagesDirectory, hooks: { postDump: hook } }),
  ).rejects.toMatchObject({ workload: 'stopped', leftovers: [] });
  process.kill(counter.pid, 'SIGCONT');
  await counter.countsOn();
  expect(await isAlive(counter.pid)).toBe(true);
  await noteFault('dump', {
    fault: 'criu killed by SIGKILL at post-dump, of a stopped process',
    error: 'ERR_CRIU_EOF',
    workload: 'stopped, as before',
    left: 'nothing',
  });
});

test('the link that CRIU creates for a deleted file is removed after criu is killed', async () => {
  const criu = client();
  const program = await startObstacle('deleted_linked', '@/file');
  const directory = dirname(await readlink(`/proc/${program.pid}/fd/3`));
  const names = (await readdir(directory)).sort();
  const given = { imagesDirectory: await temporaryDirectory(), linkRemap: true };
  const hook = async () => {
    expect(await readdir(directory)).toContainEqual(expect.stringMatching(/^link_remap\./));
    strike(await runningCriu(), 'SIGKILL');
  };
  await expect(
    criu.dump(program.pid, { ...given, hooks: { postDump: hook } }),
  ).rejects.toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'running', leftovers: [] });
  expect((await readdir(directory)).sort()).toEqual(names);
  await criu.dump(program.pid, given);
  await noteFault('dump', {
    fault: 'criu killed by SIGKILL at post-dump, with linkRemap',
    error: 'ERR_CRIU_EOF',
    workload: 'runs on',
    left: 'nothing',
  });
});
