import { watch } from 'node:fs';
import { mkdir, readFile, readlink, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DumpOptions, ManageCgroupsMode, PreflightFinding } from '../../../src/index.ts';
import {
  groupOf,
  makeGroup,
  memoryHierarchy,
  mountCgroups,
  unusedGroup,
} from '../../helpers/cgroups.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startObstacle } from '../../helpers/obstacle.ts';
import {
  client,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** Findings without those of descriptors that this test run has inherited and passed on. */
const relevant = (findings: readonly PreflightFinding[] = []) =>
  findings.filter(({ fd = 0 }) => fd < 100);

/** A property of a cgroup, with its value at the dump and the one that is set afterwards. */
const property = 'cgroup.max.depth';
const [dumped, between] = ['7', '9'];

/** The outcome of a mode: the cgroup of the process and the value of the property, or the failure. */
interface Outcome {
  readonly mode: ManageCgroupsMode;
  /** If the cgroup exists at restore. */
  readonly there: string | RegExp;
  /** If the cgroup does not exist. */
  readonly missing: string | RegExp;
}

const outcomes: readonly Outcome[] = [
  { mode: 'soft', there: between, missing: dumped },
  { mode: '', there: between, missing: dumped },
  { mode: 'full', there: dumped, missing: dumped },
  { mode: 'strict', there: /existing cgroups/, missing: dumped },
  { mode: 'props', there: dumped, missing: /doesn't exist/ },
  { mode: 'none', there: between, missing: /doesn't exist/ },
];

for (const place of ['there', 'missing'] as const) {
  test.each(outcomes)(
    `manageCgroupsMode $mode, with the cgroup ${place} at restore: $${place}`,
    async ({ mode, [place]: outcome }) => {
      const { group, imagesDirectory, counter, criu } = await dumpedInGroup();
      if (place === 'there') await writeFile(join(group.path, property), between);
      else await rmdir(group.path);

      const found = relevant(
        await criu.preflightRestore({ imagesDirectory, manageCgroupsMode: mode }),
      );
      const code = place === 'there' ? 'CGROUP_EXISTS' : 'CGROUP_MISSING';
      const changed = outcome === between ? ['CGROUP_CHANGED'] : [];
      expect(found.map((one) => one.code)).toEqual(outcome instanceof RegExp ? [code] : changed);
      const restored = criu.restore({ imagesDirectory, manageCgroupsMode: mode });
      if (outcome instanceof RegExp) {
        const error = await failureOf(restored);
        expect(error).toMatchObject({
          code: 'ERR_CRIU_FAILED',
          message: expect.stringMatching(outcome),
          workload: 'gone',
        });
        expect(relevant(error.findings)).toMatchObject([
          { code, message: expect.stringContaining(group.name) },
        ]);
        return;
      }
      await restored;
      await counter.countsOn();
      expect(await groupOf(counter.pid)).toBe(group.name);
      expect((await readFile(join(group.path, property), 'utf8')).trim()).toBe(outcome);
    },
  );
}

test('a cgroup without processes is restored, too', async () => {
  const { group, imagesDirectory, counter, criu } = await dumpedInGroup({}, undefined, 'empty');
  const empty = join(group.path, 'empty');
  await rmdir(empty);
  const mode = { imagesDirectory, manageCgroupsMode: 'none' } as const;
  const missing = {
    code: 'CGROUP_MISSING',
    message: expect.stringContaining(`${group.name}/empty`),
  };
  expect(relevant(await criu.preflightRestore(mode))).toMatchObject([missing]);
  const error = await failureOf(criu.restore(mode));
  expect(error.message).toMatch(/Cgroup dir .*empty doesn't exist/);
  expect(relevant(await criu.preflightRestore({ imagesDirectory }))).toEqual([]);
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  expect((await stat(empty)).isDirectory()).toBe(true);
});

test('the directory of a cgroup, which a process has open, is restored with the cgroup', async () => {
  const group = unusedGroup(await mountCgroups());
  await makeGroup(group.path);
  const { pid } = await startObstacle('open_path', group.path);
  await writeFile(join(group.path, 'cgroup.procs'), `${pid}`);
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory, cgroupDumpController: [''] });
  await waitGone(pid);
  await rmdir(group.path);
  expect(relevant(await criu.preflightRestore({ imagesDirectory }))).toEqual([]);
  const unmade = await criu.preflightRestore({ imagesDirectory, manageCgroupsMode: 'none' });
  expect(relevant(unmade).map(({ code }) => code)).toEqual(['CGROUP_MISSING', 'FILE_MISSING']);
  await criu.restore({ imagesDirectory });
  expect(await readlink(`/proc/${pid}/fd/3`)).toBe(group.path);
});

const swappiness = 'memory.swappiness';

test('preflightRestore reports a property that no mode writes to a cgroup that exists', async () => {
  const group = unusedGroup(memoryHierarchy());
  const setting = join(group.path, swappiness);
  const counter = await startCounter();
  await makeGroup(group.path, counter.pid);
  await writeFile(setting, '10');
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory, cgroupDumpController: ['memory'] });
  await waitGone(counter.pid);
  await writeFile(setting, '20');
  const full = { imagesDirectory, manageCgroupsMode: 'full' } as const;
  const [found, ...others] = relevant(await criu.preflightRestore(full));
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    code: 'CGROUP_CHANGED',
    severity: 'warning',
    message: expect.stringMatching(/^memory.swappiness of the cgroup .* was '10' and is '20'/),
    remedy: 'Write the old value to the file before the restore.',
  });
  await criu.restore(full);
  await counter.countsOn();
  expect((await readFile(setting, 'utf8')).trim()).toBe('20');
});

test('manageCgroupsMode ignore leaves the process in the cgroup of the restoring process', async () => {
  const { imagesDirectory, counter, criu, group } = await dumpedInGroup();
  await rmdir(group.path);
  await criu.restore({ imagesDirectory, manageCgroupsMode: 'ignore' });
  await counter.countsOn();
  expect(await groupOf(counter.pid)).toBe(await groupOf('self'));
  await expect(stat(group.path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('manageCgroups false is the old form of manageCgroupsMode ignore', async () => {
  const { imagesDirectory, counter, criu } = await dumpedInGroup();
  await criu.restore({ imagesDirectory, manageCgroups: false });
  await counter.countsOn();
  expect(await groupOf(counter.pid)).toBe(await groupOf('self'));
});

test('manageCgroups true is the old form of manageCgroupsMode soft', async () => {
  const { imagesDirectory, counter, criu, group } = await dumpedInGroup({ manageCgroups: true });
  await writeFile(join(group.path, property), between);
  await criu.restore({ imagesDirectory, manageCgroups: true });
  await counter.countsOn();
  expect(await groupOf(counter.pid)).toBe(group.name);
  expect((await readFile(join(group.path, property), 'utf8')).trim()).toBe(between);
});

test('a dump that ignores cgroups records their names, but not their properties', async () => {
  const { imagesDirectory, counter, criu, group } = await dumpedInGroup({
    manageCgroupsMode: 'ignore',
  });
  await writeFile(join(group.path, property), between);
  await criu.restore({ imagesDirectory, manageCgroupsMode: 'full' });
  await counter.countsOn();
  expect(await groupOf(counter.pid)).toBe(group.name);
  expect((await readFile(join(group.path, property), 'utf8')).trim()).toBe(between);
});

test('cgRoot puts the process into another cgroup', async () => {
  const { imagesDirectory, counter, criu, group } = await dumpedInGroup();
  const other = unusedGroup(group.mount);
  await rmdir(group.path);
  const strict = { imagesDirectory, manageCgroupsMode: 'strict' } as const;
  const look = async (cgRoot: string) =>
    relevant(await criu.preflightRestore({ ...strict, cgRoot: { '': cgRoot } }));
  expect(await look(other.name)).toEqual([]);
  expect(await look('/')).toMatchObject([{ code: 'CGROUP_EXISTS' }]);
  await criu.restore({ imagesDirectory, cgRoot: { '': other.name } });
  await counter.countsOn();
  expect(await groupOf(counter.pid)).toBe(other.name);
  expect((await readFile(join(other.path, property), 'utf8')).trim()).toBe(dumped);
  await expect(stat(group.path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('with cgroupYard CRIU uses the hierarchies there instead of mounting them', async () => {
  const yard = await temporaryDirectory();
  const mount = await mountCgroups(join(yard, 'unified'));
  const { imagesDirectory, counter, criu, group } = await dumpedInGroup(
    { cgroupYard: yard },
    mount,
  );
  await rmdir(group.path);
  const empty = await temporaryDirectory();
  await expect(
    criu.restore({ imagesDirectory, cgroupYard: join(empty, 'none') }),
  ).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('cgyard'),
  });
  await waitGone(counter.pid);
  const look = async (cgroupYard: string) =>
    relevant(
      await criu.preflightRestore({ imagesDirectory, cgroupYard, manageCgroupsMode: 'none' }),
    );
  expect(await look(join(empty, 'none'))).toMatchObject([
    {
      message: expect.stringMatching(
        /^the directory of the cgroup hierarchies, .* does not exist$/,
      ),
    },
  ]);
  expect(await look(yard)).toMatchObject([
    {
      code: 'CGROUP_MISSING',
      message: expect.stringContaining(`${mount}${group.name} does not exist`),
    },
  ]);
  await criu.restore({ imagesDirectory, cgroupYard: yard });
  await counter.countsOn();
  expect(await groupOf(counter.pid)).toBe(group.name);
});

test('freezeCgroup freezes the cgroup for the dump', async () => {
  const group = unusedGroup(await mountCgroups());
  const counter = await startCounter();
  await makeGroup(group.path);
  const events = join(group.path, 'cgroup.events');
  let changes = 0;
  const watcher = watch(events, () => {
    changes += 1;
  });
  onTestFinished(() => watcher.close());
  await writeFile(join(group.path, 'cgroup.procs'), `${counter.pid}`);
  await waitFor(() => changes === 1, 'the kernel tells that the cgroup is populated');

  const criu = client();
  const options = { imagesDirectory: await temporaryDirectory(), leaveRunning: true };
  await criu.dump(counter.pid, options);
  await counter.countsOn();
  expect(changes).toBe(1);
  await criu.dump(counter.pid, { ...options, overwrite: true, freezeCgroup: group.path });
  await waitFor(() => changes > 1, 'the kernel tells that the cgroup was frozen');
  expect(await readFile(events, 'utf8')).toContain('frozen 0');
  await counter.countsOn();
});

test('freezeCgroup of a missing cgroup fails', async () => {
  const group = unusedGroup(await mountCgroups());
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const dump = client().dump(counter.pid, { imagesDirectory, freezeCgroup: group.path });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/^dump of process \d+: Neither .*cgroup/),
    workload: 'running',
  });
  await counter.countsOn();
});

/** Dumps a program in a cgroup of its own, with a property of its own and perhaps a cgroup below it. */
async function dumpedInGroup(options: Partial<DumpOptions> = {}, mount?: string, below?: string) {
  const group = unusedGroup(mount ?? (await mountCgroups()));
  const counter = await startCounter();
  await makeGroup(group.path, counter.pid);
  await writeFile(join(group.path, property), dumped);
  if (below !== undefined) await mkdir(join(group.path, below));
  expect(await groupOf(counter.pid)).toBe(group.name);
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  // Skips the hierarchies of cgroup v1, whose cgroups do not belong to this test.
  await criu.dump(counter.pid, { imagesDirectory, cgroupDumpController: [''], ...options });
  await waitGone(counter.pid);
  return { group, counter, criu, imagesDirectory };
}
