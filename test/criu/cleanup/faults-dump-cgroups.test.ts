import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Criu, CriuError } from '../../../src/index.ts';
import { makeGroup, mountCgroups, unusedGroup } from '../../helpers/cgroups.ts';
import { runningCriu } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { expectIntact, hookAt, ready } from '../../helpers/expect-intact.ts';
import { failureOf } from '../../helpers/failures.ts';
import { noteFault } from '../../helpers/reliability.ts';
import {
  type Counter,
  isAlive,
  processState,
  temporaryDirectory,
  waitFor,
} from '../../helpers/workload.ts';

beforeAll(async () => {
  for (const fixture of ['counter']) await compileFixture(fixture);
});

describe.each(['v1', 'v2'] as const)('a cgroup of %s', (version) => {
  test('that CRIU froze is thawed after criu is killed', async () => {
    let { criu, counter, before } = await ready('16');
    let group = await freezer(version, counter.pid);
    let error: CriuError | undefined;
    // The cgroup is frozen for some milliseconds only, which the test sometimes misses. Rarely the process
    // dies with criu, because it is running code of CRIU.
    for (let tries = 0; tries < 40 && error?.workload !== 'running'; tries++) {
      if (error) {
        ({ criu, counter, before } = await ready('16'));
        group = await freezer(version, counter.pid);
      }
      error = await dumpStruckFrozen(criu, counter, group);
    }
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'running', leftovers: [] });
    expect(group.state()).toBe(group.thawed);
    await expectIntact(criu, counter, before, { freezeCgroup: group.path }, false);
    await noteFault('dump', {
      fault: `criu killed while it has frozen a cgroup of ${version} (freezeCgroup)`,
      error: 'ERR_CRIU_EOF',
      workload: 'runs on',
      left: 'nothing',
    });
  });

  test('that was frozen before the dump is frozen again after criu is killed', async () => {
    const { criu, counter, before } = await ready('16');
    const group = await freezer(version, counter.pid);
    await group.freeze();
    const strike = async () => {
      expect(group.state()).toBe(group.thawed);
      process.kill(await runningCriu(), 'SIGKILL');
    };
    const options = { imagesDirectory: await temporaryDirectory(), freezeCgroup: group.path };
    const error = await failureOf(
      criu.dump(counter.pid, { ...options, hooks: hookAt('queryExtFiles', strike) }),
    );
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'stopped', leftovers: [] });
    expect(group.state()).toBe(group.frozen);
    await writeFile(group.file, group.thawed);
    await expectIntact(criu, counter, before, { freezeCgroup: group.path }, false);
    await noteFault('dump', {
      fault: `criu killed in a dump of a frozen cgroup of ${version} (freezeCgroup)`,
      error: 'ERR_CRIU_EOF',
      workload: 'frozen, as before',
      left: 'nothing',
    });
  });

  test('that is frozen is refused without freezeCgroup, because the dump would hang', async () => {
    const { criu, counter, before } = await ready('16');
    const group = await freezer(version, counter.pid);
    await group.freeze();
    const imagesDirectory = await temporaryDirectory();
    expect(await failureOf(criu.dump(counter.pid, { imagesDirectory }))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'freezeCgroup',
      workload: 'stopped',
      message: expect.stringMatching(
        // It may also be mounted elsewhere.
        new RegExp(`is in the frozen cgroup /.*/${basename(group.path)}: thaw it`),
      ),
    });
    expect(await readdir(imagesDirectory)).toEqual([]);
    const options = { imagesDirectory, leaveRunning: true, freezeCgroup: group.path };
    await criu.dump(counter.pid, options);
    expect(group.state()).toBe(group.frozen);
    await writeFile(group.file, group.thawed);
    await expectIntact(criu, counter, before, {}, false);
    await noteFault('dump', {
      fault: `process in a frozen cgroup of ${version}, without freezeCgroup`,
      error: 'ERR_CRIU_INVALID_ARGUMENT, before anything is started',
      workload: 'frozen, as before',
      left: 'nothing',
    });
  });
});

interface FreezerGroup {
  readonly path: string;
  readonly file: string;
  readonly thawed: string;
  readonly frozen: string;
  state(): string;
  freeze(): Promise<void>;
}

/** A cgroup that can be frozen, with a process in it. */
async function freezer(version: 'v1' | 'v2', pid: number): Promise<FreezerGroup> {
  const v2 = version === 'v2';
  const path = v2
    ? unusedGroup(await mountCgroups()).path
    : `/sys/fs/cgroup/freezer/node-criu-${randomUUID()}`;
  const file = join(path, v2 ? 'cgroup.freeze' : 'freezer.state');
  const [thawed, frozen] = v2 ? ['0', '1'] : ['THAWED', 'FROZEN'];
  if (v2) await makeGroup(path, pid);
  else {
    await mkdir(path);
    onTestFinished(async () => {
      await writeFile(file, thawed);
      if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
      const removed = () =>
        rmdir(path).then(
          () => true,
          () => false,
        );
      await waitFor(removed, `${path} is empty`);
    });
    await writeFile(join(path, 'cgroup.procs'), `${pid}`);
  }
  const state = () => readFileSync(file, 'latin1').trim();
  const isFrozen = async () =>
    v2
      ? (await readFile(join(path, 'cgroup.events'), 'latin1')).includes('frozen 1')
      : state() === frozen;
  const freeze = async () => {
    await writeFile(file, frozen);
    await waitFor(isFrozen, `${path} is frozen`);
  };
  return { path, file, thawed, frozen, state, freeze };
}

/** A dump whose criu is killed when the cgroup is frozen; undefined if the test misses that moment. */
async function dumpStruckFrozen(
  criu: Criu,
  counter: Counter,
  group: FreezerGroup,
): Promise<CriuError | undefined> {
  let over = false;
  let watched = Promise.resolve();
  const watch = async (pid: number) => {
    while (!over) {
      if (group.state() !== group.thawed) {
        if ((await processState(pid)) !== undefined) process.kill(pid, 'SIGKILL');
        return;
      }
      await turn();
    }
  };
  const action = async () => {
    watched = watch(await runningCriu());
  };
  const options = { leaveRunning: true, freezeCgroup: group.path };
  const imagesDirectory = await temporaryDirectory();
  try {
    await criu.dump(counter.pid, { ...options, imagesDirectory, hooks: hookAt('preDump', action) });
    return undefined;
  } catch (error) {
    return error as CriuError;
  } finally {
    over = true;
    await watched;
  }
}
