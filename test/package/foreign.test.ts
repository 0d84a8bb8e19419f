import { existsSync } from 'node:fs';
import { copyFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { buildLibrary } from '../helpers/built.ts';
import { root } from '../helpers/tarball.ts';
import { startCounter, temporaryDirectory } from '../helpers/workload.ts';

const foreign = join(root, '.cache/foreign');
const qemu = join(foreign, 'qemu-aarch64');
const addon = (name: string) => join(root, `prebuilds/linux-${name}.node`);
beforeAll(() => {
  if (!existsSync(qemu)) throw new Error('.cache/foreign is missing; run: npm run test:package');
});

test.each(['x64', 'arm64'])(
  'with musl on %s the addon loads and starts a program',
  async (arch) => {
    const directory = await temporaryDirectory();
    await cp(join(foreign, `${arch}-musl`), directory, { recursive: true });
    await copyFile(addon(`${arch}-musl`), join(directory, 'addon.node'));
    const program = arch === 'x64' ? ['/load-addon'] : ['/qemu', '/load-addon'];
    if (arch !== 'x64') await copyFile(qemu, join(directory, 'qemu'));
    // A root directory without glibc: it has nothing else in it.
    const args = [directory, ...program, '/addon.node', ...program, 'child'];
    const { stdout } = await execa('chroot', args);
    expect(stdout).toBe('hello, exit code 7');
  },
);

test('Node for arm64 dumps and restores a process of this machine with real criu', async () => {
  await buildLibrary();
  const counter = await startCounter();
  const node = [qemu, '-L', join(foreign, 'arm64-glibc'), join(foreign, 'arm64-glibc/bin/node')];
  const script = join(root, 'test/fixtures/foreign-client.mjs');
  const args = [criuPath(), String(counter.pid), join(await temporaryDirectory(), 'images')];
  const { stdout } = await execa(node[0] as string, [...node.slice(1), script, ...args]);
  const { number, ...result } = JSON.parse(stdout);
  expect(number).toBeGreaterThan(30000);
  expect(result).toEqual({ arch: 'arm64', seen: ['postDump', 'preResume'], pid: counter.pid });
  await counter.countsOn();
  const numbers = await counter.numbers();
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});
