import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readStat } from '../../../src/procfs/stat.ts';
import { childrenOf } from '../../../src/procfs/tree.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { childOf, codesOf, startObstacle } from '../../helpers/obstacle.ts';
import {
  client,
  isAlive,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** Executes a program after a shell has started a child of it. */
const beside = (child: string) => ['sh', '-c', `${child} sleep 1000 & exec "$@"`, 'sh'];
const inHostOf = (kind: string) => beside(`nsenter --${kind}=/proc/1/ns/${kind}`);

/** Starts a program through others, and waits until the child that they start beside it is ready. */
async function startTree(through: readonly string[]): Promise<number> {
  const { pid } = await startObstacle('nothing', '', through);
  const names = async () =>
    await Promise.all(childrenOf(pid).map(async (child) => (await readStat(child))?.name));
  const isReady = async () => (await names()).every((name) => name === 'sleep');
  await waitFor(isReady, 'the child has executed sleep');
  return pid;
}

const unrestorable: Record<string, { through: string[]; names: RegExp; complaint: RegExp }> = {
  'a child in its own network namespace under a root in the host': {
    through: beside('unshare --net'),
    names: /^process \d+ \(sleep\) is in the net namespace net:\[\d+\], but the root .* is not$/,
    complaint: /Can't restore sub-task in NS/,
  },
  'a child in its own mount namespace under a root in the host': {
    through: beside('unshare --mount'),
    names: /\(sleep\) is in the mnt namespace/,
    complaint: /Can't restore sub-task in NS/,
  },
  'a root in its own uts namespace with a child in the host': {
    through: ['unshare', '--uts', ...inHostOf('uts')],
    names: /\(sleep\) is in the uts namespace/,
    complaint: /Can't restore sub-task in NS/,
  },
  'a root in its own ipc namespace with a child in the host': {
    through: ['unshare', '--ipc', ...inHostOf('ipc')],
    names: /\(sleep\) is in the ipc namespace/,
    complaint: /Can't restore sub-task in NS/,
  },
  'a root in its own time namespace with a child in the host': {
    through: ['unshare', '--time', ...inHostOf('time')],
    names: /\(sleep\) is in the time namespace/,
    complaint: /Can't restore sub-task in NS/,
  },
  'a root in its own cgroup namespace with a child in the host': {
    through: ['unshare', '--cgroup', ...inHostOf('cgroup')],
    names: /\(sleep\) is in the cgroup namespace/,
    complaint: /cg: No set \d+ found/,
  },
  'a root in its own user namespace': {
    through: ['unshare', '--user', '--map-root-user'],
    names: /\(obstacle\) is in a user namespace of its own, user:\[\d+\]/,
    complaint: /Unable to open the proc file system/,
  },
};

describe.each(Object.entries(unrestorable))('%s', (_title, { through, names, complaint }) => {
  test('is refused by the dump, and cannot be restored after a dump with force', async () => {
    const criu = client();
    const imagesDirectory = join(await temporaryDirectory(), 'images');
    const pid = await startTree(through);
    const findings = await criu.preflight(pid);
    expect(findings).toMatchObject([{ severity: 'error', message: expect.stringMatching(names) }]);

    const error = await failureOf(criu.dump(pid, { imagesDirectory }));
    expect(error).toMatchObject({
      code: 'ERR_CRIU_PREFLIGHT',
      option: 'force',
      workload: 'running',
    });
    expect(error.findings).toEqual(findings);
    expect(await isAlive(pid)).toBe(true);

    await criu.dump(pid, { imagesDirectory, force: true });
    await waitGone(pid);
    const refused = await failureOf(criu.restore({ imagesDirectory }));
    expect([refused.message, ...(refused.log?.errors ?? [])].join('\n')).toMatch(complaint);
  });
});

const restorable: Record<string, { through: string[]; options?: object }> = {
  'a child in another network namespace than its root, which is not in the host either': {
    through: ['unshare', '--net', ...beside('unshare --net')],
  },
  'a time namespace that all processes of the tree share': {
    through: ['unshare', '--time', ...beside('')],
  },
  'another cgroup namespace if cgroups are not restored': {
    through: ['unshare', '--cgroup', ...inHostOf('cgroup')],
    options: { manageCgroupsMode: 'ignore' },
  },
};

test.each(Object.entries(restorable))('%s is no finding', async (_title, { through, options }) => {
  const criu = client();
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const pid = await startTree(through);
  expect(await criu.preflight(pid, { ...options })).toEqual([]);
  await criu.dump(pid, { imagesDirectory, ...options });
  await waitGone(pid);
  await criu.restore({ imagesDirectory, ...options });
  expect(await isAlive(await childOf(pid))).toBe(true);
});

test('a time namespace below that of the root is found, also before a process is in it', async () => {
  const criu = client();
  const { pid } = await startObstacle('nothing', '', beside('unshare --time --fork'));
  const inside = async () => childrenOf(await childOf(pid)).length === 1;
  await waitFor(inside, 'unshare has started a child in the namespace');
  const parent = await childOf(pid);
  const findings = await criu.preflight(pid);
  expect(findings).toMatchObject([
    {
      code: 'NESTED_NAMESPACE',
      pid: parent,
      message: expect.stringContaining('time_for_children'),
    },
    { code: 'NESTED_NAMESPACE', pid: await childOf(parent) },
  ]);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  expect(error.message).toContain("Can't dump nested time_for_children namespace");
});

test('a child in the network namespace of the host under a root that is not is found', async () => {
  const criu = client();
  const pid = await startTree(['unshare', '--net', ...inHostOf('net')]);
  expect(codesOf(await criu.preflight(pid))).toEqual(['NESTED_NAMESPACE']);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  expect(codesOf(error.findings)).toEqual(['NESTED_NAMESPACE']);
});

test('a user namespace with pid and mount namespaces of its own is no finding', async () => {
  const directory = await temporaryDirectory();
  const root = join(directory, 'root');
  await mkdir(join(root, 'proc'), { recursive: true });
  const program = await compileFixture('rooted');
  await copyFile(program, join(root, 'rooted'));
  const namespaces = ['--user', '--map-root-user', '--pid', '--fork', 'setsid'];
  const outer = await startProgram('unshare', [...namespaces, program, root, 'proc:=/proc']);
  const written = async () => (await stat(join(root, 'out')).catch(() => ({ size: 0 }))).size;
  await waitFor(async () => (await written()) > 0, 'the program writes');
  // CRIU restores into a root that is a mount point.
  await execa('mount', ['--bind', root, root]);
  onTestFinished(async () => void (await execa('umount', ['-l', root])));

  const criu = client();
  const pid = await childOf(outer.pid);
  expect((await criu.preflight(pid)).filter(({ severity }) => severity === 'error')).toEqual([]);
  const imagesDirectory = join(directory, 'images');
  await criu.dump(pid, { imagesDirectory });
  await waitGone(pid);
  const before = await written();
  const restored = await criu.restore({ imagesDirectory, root });
  onTestFinished(() => void restored.kill('SIGKILL'));
  await waitFor(async () => (await written()) > before, 'the restored program writes');
});
