import { copyFile, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildLibrary } from '../../helpers/built.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

const root = join(import.meta.dirname, '../../..');
const library = join(root, 'dist/index.js');

beforeAll(buildLibrary);

/** A host whose /run is on a disk, and whose /dev is a tmpfs of its own. */
interface DiskHost {
  /** Its /run and /dev, as seen from here. */
  readonly run: string;
  readonly dev: string;
  /** Runs Node there. */
  node(
    ...args: string[]
  ): Promise<{ exitCode?: number | undefined; stdout: string; stderr: string }>;
}

async function diskHost(): Promise<DiskHost> {
  const run = await mkdtemp(join(root, '.cache/run-'));
  const dev = await temporaryDirectory();
  onTestFinished(async () => {
    await execa('umount', ['--lazy', '--recursive', dev]);
    await rm(run, { recursive: true });
  });
  const set = `mount -t tmpfs -o mode=0755 tmpfs ${dev} && cd ${dev} && mkdir pts shm &&
    ln -s pts/ptmx ptmx && cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty . && mount --rbind /dev/pts pts`;
  await execa('sh', ['-c', set]);
  const enter = `mount --bind ${run} /run && mount --rbind ${dev} /dev && exec "$@"`;
  return {
    ...{ run, dev },
    node: (...args) =>
      execa('unshare', ['--mount', 'sh', '-c', enter, 'sh', process.execPath, ...args], {
        reject: false,
      }),
  };
}

async function check(host: DiskHost, ...flags: string[]) {
  const criu = flags.includes('--criu') ? [] : ['--criu', criuPath()];
  const { stdout, stderr } = await host.node(
    ...[join(root, 'dist/cli/main.js'), 'check', '--json', ...criu, ...flags],
  );
  const events = stdout.split('\n').map((line) => JSON.parse(line || '{}'));
  return { ...events.at(-1), stderr };
}

test('where /run is on a disk, CRIU reads what --fix keeps, which is renewed for another CRIU', async () => {
  const host = await diskHost();
  const link = join(host.run, 'criu.kdat');
  expect(await check(host)).toMatchObject({ event: 'result', kernelCache: 'missing' });
  const main = join(root, 'dist/cli/main.js');
  const preflight = [main, 'preflight', String(process.pid), '--criu', criuPath()];
  expect((await host.node(...preflight)).stderr).toMatch(/30 to 40 ms .*: node-criu check --fix/);
  expect(await check(host, '--fix')).toMatchObject({ event: 'result', kernelCache: 'kept' });
  const kept = await readlink(link);
  expect(kept).toMatch(/^\/dev\/\.criu\/[0-9a-f]{16}\.kdat$/);
  const file = join(host.dev, kept.slice('/dev'.length));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700);

  const logs = await temporaryDirectory();
  await check(host, '--work-directory', logs, '--log-level', '4');
  expect(await readFile(join(logs, 'check.log'), 'utf8')).toContain(
    'Loaded kdat cache from /run/criu.kdat',
  );
  // Nothing is examined again as long as it is there.
  const { ino } = await stat(file);
  await check(host, '--fix');
  expect((await stat(file)).ino).toBe(ino);

  const other = join(logs, 'criu-other');
  await copyFile(criuPath(), other);
  await check(host, '--fix', '--criu', other);
  const renewed = await readlink(link);
  expect(renewed).not.toBe(kept);

  // As after a boot, which empties /dev.
  await rm(join(host.dev, '.criu'), { recursive: true });
  expect(await check(host)).toMatchObject({ kernelCache: 'missing' });
  const use = `import { Criu } from ${JSON.stringify(library)};
    await new Criu({ path: ${JSON.stringify(criuPath())}, kernelCache: true }).version();`;
  expect(await host.node('--input-type=module', '-e', use)).toMatchObject({ stderr: '' });
  expect(await readlink(link)).toBe(kept);
  expect(await check(host)).toMatchObject({ kernelCache: 'kept' });

  // A file of another program.
  const contents = await readFile(file);
  await rm(link);
  await writeFile(link, contents);
  expect(await check(host, '--fix')).toMatchObject({ kernelCache: 'kept' });
  await expect(readlink(link)).rejects.toThrow('EINVAL');
});

test('nothing is kept where others can write', async () => {
  const host = await diskHost();
  await execa('chmod', ['o+w', host.dev]);
  expect(await check(host, '--fix')).toMatchObject({
    event: 'error',
    code: 'ERR_CRIU_SYSTEM',
    message: expect.stringContaining('others than root can write to /dev'),
  });
  const use = `import { Criu } from ${JSON.stringify(library)};
    await new Criu({ path: ${JSON.stringify(criuPath())}, kernelCache: true }).version();`;
  const { exitCode, stderr } = await host.node('--input-type=module', '-e', use);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('Warning: version: ');
  await expect(readlink(join(host.run, 'criu.kdat'))).rejects.toThrow('ENOENT');
});
