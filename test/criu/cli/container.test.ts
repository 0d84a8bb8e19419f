import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
import { Bundle, type RunningContainer, removeAfterTest } from '../../helpers/runc.ts';
import { serve } from '../../helpers/serve-command.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

beforeAll(buildCommand);

/** Counts into a file of the container. */
const COUNTER = 'i=0; while :; do i=$((i+1)); echo $i >> /tmp/numbers; sleep 0.02; done';

const numbers = async ({ bundle }: RunningContainer) =>
  (await readFile(join(bundle.rootfs, 'tmp/numbers'), 'utf8')).split('\n').slice(0, -1).map(Number);

async function countsOn(running: RunningContainer): Promise<void> {
  const before = (await numbers(running).catch(() => [])).length;
  await waitFor(
    async () => (await numbers(running).catch(() => [])).length > before,
    'the container counts on',
  );
}

test('a container is checkpointed into an archive, inspected, and restored from it', async () => {
  const bundle = await Bundle.make(['sh', '-c', COUNTER]);
  const running = await bundle.run('counter');
  await countsOn(running);
  const directory = await temporaryDirectory();
  const archive = join(directory, 'counter.tar.gz');
  const root = ['--state-root', bundle.root];
  const made = await nodeCriu(['container', 'checkpoint', 'count', '-o', archive, ...root]);
  expect(made).toMatchObject({ exitCode: 0 });
  expect(made.stdout).toMatch(
    /counter\.tar\.gz \([\d.]+ KiB\): container counter, [\d.]+ KiB, frozen /,
  );
  expect((await stat(archive)).mode & 0o777).toBe(0o600);
  expect(existsSync(`${archive}.images`)).toBe(false);
  expect(running.status()).toBeUndefined();

  const inspected = await nodeCriu(['container', 'inspect', archive, '--json']);
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    ...{ compression: 'gzip', container: { id: 'counter', name: 'counter' }, runtime: 'runc' },
  });
  const text = await nodeCriu(['container', 'inspect', archive]);
  expect(text.stdout).toContain('counter');

  const target = ['--directory', join(directory, 'unpacked'), '--bundle', bundle.directory];
  const restored = await nodeCriu([
    'container',
    'restore',
    archive,
    ...target,
    ...root,
    '--no-runtime',
  ]);
  expect(restored).toMatchObject({ exitCode: 0, stdout: String(running.status()?.pid) });
  await countsOn(running);

  const images = join(directory, 'images');
  const again = await nodeCriu(['container', 'checkpoint', 'counter', '-D', images, ...root]);
  expect(again).toMatchObject({ exitCode: 0 });
  const by = ['--id', 'counter', '--bundle', bundle.directory, ...root];
  const last = await nodeCriu(['container', 'restore', '-D', images, ...by]);
  expect(last).toMatchObject({ exitCode: 0, stdout: String(running.status()?.pid) });
  expect(last.stderr).toMatch(/the processes run$/);
  await countsOn(running);
  const all = await numbers(running);
  expect(all).toEqual(all.map((_, index) => index + 1));
});

test('a container moves to a server that takes containers', async () => {
  const bundle = await Bundle.make(['sh', '-c', COUNTER]);
  bundle.config.linux.cgroupsPath = `/node-criu-test-${randomUUID()}`;
  const running = await bundle.run('counter');
  await countsOn(running);
  // The other host has a bundle of its own, and the same root file system.
  const there = await Bundle.make(['sh', '-c', COUNTER]);
  there.config.root.path = bundle.rootfs;
  there.config.linux.cgroupsPath = `/node-criu-test-${randomUUID()}`;
  await there.write();
  const bundles = await temporaryDirectory();
  await symlink(there.directory, join(bundles, 'counter'));
  removeAfterTest(there, 'counter');
  const directory = await temporaryDirectory();
  const containers = ['--containers', bundles, '--state-root', there.root];
  const server = await serve('127.0.0.1:0', '-D', directory, '--insecure', ...containers);
  const to = [`127.0.0.1:${server.port}`, '--insecure', '-D', await temporaryDirectory()];
  const moved = await nodeCriu([
    ...['container', 'migrate', 'counter', ...to, '--state-root', bundle.root],
    ...['--mode', 'stop-and-copy'],
  ]);
  expect(moved).toMatchObject({ exitCode: 0 });
  expect(moved.stdout).toMatch(/^process \d+ runs on 127\.0\.0\.1: stop-and-copy, /);
  expect(running.status()).toBeUndefined();
  await countsOn(running);
  const all = await numbers(running);
  expect(all).toEqual(all.map((_, index) => index + 1));
  expect(existsSync(join(there.root, 'counter/state.json'))).toBe(true);
});

test('wrong usage of container is refused before anything happens', async () => {
  const usages = [
    [['checkpoint', 'web'], 'give either an archive (-o) or a directory (-D)'],
    [['restore'], 'give either an archive or a directory (-D)'],
    [['restore', 'a.tar'], 'give --directory, where to unpack the archive'],
    [['restore', '-D', '/images'], 'give --id and --bundle'],
  ] as const;
  for (const [args, message] of usages) {
    const { exitCode, stderr } = await nodeCriu(['container', ...args]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
  }
  const unknown = await nodeCriu(['container', 'checkpoint', 'nobody', '-D', '/nowhere/images']);
  expect(unknown).toMatchObject({ exitCode: 1 });
  expect(unknown.stderr).toContain('container nobody: there is none in /run/runc');
  expect(unknown.stderr).toContain('name the state directory of its runtime by --state-root');
});
