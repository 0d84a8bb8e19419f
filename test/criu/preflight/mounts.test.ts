import { mkdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import type { DumpOptions, PreflightFinding } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { startObstacle } from '../../helpers/obstacle.ts';
import { startRooted } from '../../helpers/rooted.ts';
import {
  client,
  killAfterTest,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** Findings without those of descriptors that this test run has inherited and passed on. */
const briefly = (findings: readonly PreflightFinding[] = []) =>
  findings
    .filter(({ fd = 0 }) => fd < 100)
    .map(({ severity, code, message }) => `${severity} ${code}: ${message}`);

const ROOT = expect.stringMatching(/^warning ROOT_MISSING: .* mount namespace of its own/);

/** Starts a program whose streams are opened in the mount namespace that another program makes. */
async function startInside([file = '', ...args]: readonly string[]): Promise<number> {
  const shell = ['sh', '-c', 'exec sleep 1000 < /dev/null > /dev/null 2>&1'];
  const { pid } = await startProgram(file, [...args, ...shell]);
  const isAsleep = async () => basename(await readlink(`/proc/${pid}/exe`)) === 'sleep';
  const hasStreams = async () => (await readlink(`/proc/${pid}/fd/2`)) === '/dev/null';
  await waitFor(async () => (await isAsleep()) && (await hasStreams()), 'the program sleeps');
  return pid;
}

/** Mounts something for the duration of the test. */
async function mounted(path: string, ...args: readonly string[]): Promise<void> {
  await mkdir(path);
  await execa('mount', [...args, path]);
  onTestFinished(async () => void (await execa('umount', ['-l', path])));
}

test('finds a mount from outside, and the option with which it is dumped', async () => {
  const { pid, root, imagesDirectory } = await startRooted();
  const criu = client();
  const outside = expect.stringMatching(
    /^error EXTERNAL_MOUNT: the mount \/ext shows \/.*\/outside of a file system \(\w+\) that is not/,
  );
  expect(briefly(await criu.preflight(pid))).toEqual([outside, ROOT]);
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error.message).toMatch(
    /doesn't have a proper root mount.*\[option autoExtMnt or external\]/,
  );
  expect(briefly(error.findings)).toEqual([outside, ROOT]);

  expect(briefly(await criu.preflight(pid, { external: ['mnt[/ext]:x'] }))).toEqual([ROOT]);
  expect(briefly(await criu.preflight(pid, { extMnt: { '/ext': 'x' }, root }))).toEqual([]);
  expect(briefly(await criu.preflight(pid, { skipMnt: ['/ext'], root }))).toEqual([]);
  expect(briefly(await criu.preflight(pid, { autoExtMnt: true, root }))).toEqual([]);
  expect(briefly(await criu.preflight(pid, { external: ['mnt[]'], root }))).toEqual([]);
  await criu.dump(pid, { imagesDirectory, external: ['mnt[]'] });
  const unaware = { imagesDirectory, root, manifest: false };
  expect(briefly(await criu.preflightRestore(unaware))).toEqual([
    expect.stringMatching(/^error EXTERNAL_MISSING: \/ext .* autoExtMnt/),
  ]);
  const unnamed = await failureOf(criu.restore(unaware));
  expect(unnamed.message).toContain('[option autoExtMnt]');
  for (const aware of [
    { ...unaware, autoExtMnt: true },
    { imagesDirectory, root },
  ]) {
    expect(briefly(await criu.preflightRestore(aware))).toEqual([]);
  }
});

test('finds a file on a mount that another mount covers', async () => {
  const criu = client();
  onTestFinished(async () => void (await execa('umount', ['--lazy', '/mnt', '/mnt'])));
  const { pid } = await startObstacle('mounted_over', '/mnt');
  const [found, ...others] = await criu.preflight(pid);
  expect(found).toMatchObject({ code: 'PATH_TAKEN', severity: 'error', pid });
  expect(found?.message).toMatch(
    /descriptor \d+ .* is \/mnt\/file, on a mount that another mount covers/,
  );
  expect(others).toEqual([]);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error.message).toMatch(/overmounted mounts are not supported/);
});

test('finds a file system that CRIU does not mount', async () => {
  const { pid, root } = await startRooted('ramfs:', '-');
  const criu = client();
  expect(briefly(await criu.preflight(pid, { root }))).toEqual([
    'error EXTERNAL_MOUNT: the mount /ext has the file system ramfs, which CRIU does not mount by itself',
  ]);
  expect(briefly(await criu.preflight(pid, { root, enableFs: ['ramfs'] }))).toEqual([]);
});

test('finds slaves of mounts outside, and the options and the start that avoid them', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const shared = join(directory, 'shared');
  await mounted(shared, '-t', 'tmpfs', 'none');
  await execa('mount', ['--make-shared', shared]);
  const root = join(directory, 'root');
  await mounted(root, '--bind', '/');
  // CRIU dumps the content of a tmpfs that is private, and nobody knows what others have in this one.
  const withoutShm = [
    'sh',
    '-c',
    'while umount -l /dev/shm; do :; done 2> /dev/null; exec "$@"',
    'sh',
  ];
  const start = (propagation: string) =>
    startInside(['unshare', '--mount', '--propagation', propagation, ...withoutShm]);

  const slave = await start('slave');
  const found = expect.stringMatching(
    new RegExp(`^error SLAVE_MOUNT: the mount ${shared} is a slave .* peer group \\d+`),
  );
  expect(briefly(await criu.preflight(slave))).toEqual([found, ROOT]);
  const imagesDirectory = join(directory, 'images');
  const error = await failureOf(criu.dump(slave, { imagesDirectory }));
  expect(error.message).toMatch(/unreachable sharing.*\[option extMasters\]/);

  const trees: [number, Partial<DumpOptions>][] = [
    [slave, { autoExtMnt: true, extMasters: true }],
    [await start('slave'), { external: ['mnt[]:m'] }],
    [await start('private'), {}],
  ];
  for (const [pid, options] of trees) {
    expect(briefly(await criu.preflight(pid, { ...options, root }))).toEqual([]);
    await criu.dump(pid, { imagesDirectory, overwrite: true, ...options });
    await waitGone(pid);
    const given = { imagesDirectory, root, ...options };
    expect(briefly(await criu.preflightRestore(given))).toEqual([]);
    killAfterTest((await criu.restore(given)).pid);
  }
});

test('finds what ip netns exec leaves, and nothing with nsenter', async () => {
  const criu = client();
  const file = await networkNamespace();
  const pid = await startInside(['ip', 'netns', 'exec', basename(file)]);
  const findings = await criu.preflight(pid, { root: '/' });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        code: 'EXTERNAL_MOUNT',
        message: expect.stringMatching(`^the mount ${file} is the namespace net:\\[\\d+\\]`),
        remedy: expect.stringContaining('nsenter --net=/run/netns/NAME'),
      }),
    ]),
  );
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error.message).toMatch(/unreachable sharing.*\[option extMasters\]/);
  const options = { root: '/', autoExtMnt: true, extMasters: true };
  expect(briefly(await criu.preflight(pid, options))).toEqual([
    expect.stringMatching(/^warning EXTERNAL_MOUNT: .* with which the restore may fail$/),
  ]);
  const given = { imagesDirectory, autoExtMnt: true, extMasters: true };
  await criu.dump(pid, { ...given, leaveRunning: true });

  const cured = await startInside(['nsenter', `--net=${file}`]);
  expect(briefly(await criu.preflight(cured))).toEqual([]);
  await criu.dump(cured, { imagesDirectory, overwrite: true });
  await waitGone(cured);
  killAfterTest((await criu.restore({ imagesDirectory })).pid);
});
