import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openContainer, restoreContainer } from '../../../src/containers.ts';
import { startTimeOf } from '../../../src/procfs/stat.ts';
import { childrenOf } from '../../../src/procfs/tree.ts';
import { failureOf } from '../../helpers/failures.ts';
import { holdings } from '../../helpers/own-resources.ts';
import {
  Bundle,
  COUNTER,
  countsOn,
  newerRunc,
  pipeInto,
  type RunningContainer,
  removeAfterTest,
  runc,
} from '../../helpers/runc.ts';
import {
  client,
  isAlive,
  killAfterTest,
  temporaryDirectory,
  waitFor,
  waitStopped,
} from '../../helpers/workload.ts';

const images = async () => join(await temporaryDirectory(), 'images');

/** A container that counts, and what it has written. */
async function counting(id = 'counter', program = 'runc'): Promise<RunningContainer> {
  const bundle = await Bundle.make(COUNTER, { program });
  const running = await bundle.run(id);
  await countsOn(running);
  return running;
}

/** Where a restored container writes. */
function outputOf(running: RunningContainer) {
  const path = `${running.output}.2`;
  const file = pipeInto(path);
  return { path, file, stdio: ['ignore', file, file] as const };
}

async function expectAllNumbers(running: RunningContainer, second: string): Promise<void> {
  const lines = [...(await running.lines()), ...(await running.lines(second))];
  expect(lines.map(Number)).toEqual(lines.map((_, index) => index + 1));
}

test.each([
  ['runc', () => 'runc'],
  ['runc of Debian sid', newerRunc],
])('%s restores what was dumped', async (_, program) => {
  const running = await counting('counter', program());
  const { bundle } = running;
  const { root } = bundle;
  const container = await openContainer(client(), 'count', { root, runtime: bundle.program });
  expect(container).toMatchObject({ id: 'counter', rootfs: bundle.rootfs, manager: undefined });
  expect(container.bundle).toBe(bundle.directory);
  expect(await container.preflight()).toEqual([]);
  const imagesDirectory = await images();
  await container.dump({ imagesDirectory });
  expect(container.isRunning).toBe(false);
  expect(running.status()).toBeUndefined();
  const after = `${running.output}.2`;
  const args = ['restore', '--detach', '--bundle', bundle.directory];
  const work = await temporaryDirectory();
  await runc(
    bundle,
    [...args, '--image-path', imagesDirectory, '--work-path', work, 'counter'],
    after,
  );
  await countsOn(running, after);
  expect(running.status()?.status).toBe('running');
  await expectAllNumbers(running, after);
});

test.each([
  ['runc', 'runc'],
  ['CRIU alone', false],
  ['runc of Debian sid', newerRunc],
] as const)('a container is restored by %s, and runc knows it', async (_, given) => {
  const criu = client();
  const runtime = typeof given === 'function' ? given() : given;
  const running = await counting('counter', runtime || 'runc');
  const { root, directory: bundle } = running.bundle;
  const imagesDirectory = await images();
  const container = await openContainer(criu, 'counter', { root });
  await container.dump({ imagesDirectory });
  const output = outputOf(running);
  const steps: string[] = [];
  const paths = {
    imagesDirectory: relative(process.cwd(), imagesDirectory),
    bundle: relative(process.cwd(), bundle),
  };
  const restored = await restoreContainer(criu, {
    ...{ ...paths, id: 'counter', root, runtime, stdio: output.stdio },
    hooks: {
      setupNamespaces: (pid) => void steps.push(`namespaces ${existsSync(`/proc/${pid}`)}`),
      postRestore: (pid) => void steps.push(`restored ${existsSync(`/proc/${pid}`)}`),
    },
  });
  output.file.close();
  expect(steps).toEqual(['namespaces true', 'restored true']);
  expect(restored.stats.pagesRestored).toBeGreaterThan(0);
  await countsOn(running, output.path);
  await expectAllNumbers(running, output.path);
  expect(running.status()).toMatchObject({
    ...{ status: 'running', pid: restored.container.pid, bundle },
  });
  expect(running.exec('ps')).toContain('sh -c i=0');
  expect(running.exec('ip', 'link', 'show', 'lo')).toContain('UP');
  // In cgroups of v1, runc gives up if a process gets no processor within about a millisecond. Stopped ones need none.
  const { pid } = restored.container;
  process.kill(pid, 'SIGSTOP');
  await waitStopped(pid);
  const isAlone = async () => !(await Promise.all(childrenOf(pid).map(isAlive))).includes(true);
  await waitFor(isAlone, 'its children have ended');
  running.call('pause');
  expect(running.status()?.status).toBe('paused');
  process.kill(pid, 'SIGCONT');
  // Dumped while it is paused.
  const again = await images();
  const opened = await openContainer(criu, 'counter', { root });
  await opened.dump({ imagesDirectory: again });
  expect(running.status()).toBeUndefined();
  const before = await holdings();
  const third = await restoreContainer(criu, {
    imagesDirectory: again,
    id: 'counter',
    bundle,
    root,
    runtime,
  });
  running.call('kill', 'KILL');
  await third.container.ended();
  expect(await holdings()).toEqual(before);
  running.call('delete');
  expect(await readdir(root)).toEqual([]);
  expect(existsSync(join(running.bundle.rootfs, 'bin/busybox'))).toBe(true);
});

test('what runc has checkpointed is restored without runc', async () => {
  const running = await counting();
  const { root, directory: bundle } = running.bundle;
  const imagesDirectory = await images();
  const work = await temporaryDirectory();
  const log = join(work, 'runc.out');
  await runc(
    running.bundle,
    ['checkpoint', '--image-path', imagesDirectory, '--work-path', work, 'counter'],
    log,
  );
  const output = outputOf(running);
  const { container } = await restoreContainer(client(), {
    ...{ imagesDirectory, id: 'counter', bundle, root, runtime: false, stdio: output.stdio },
  });
  output.file.close();
  await countsOn(running, output.path);
  await expectAllNumbers(running, output.path);
  // Its state was not in the images, so that runc does not know it.
  expect(running.status()).toBeUndefined();
  expect(container.isRunning).toBe(true);
  process.kill(container.pid, 'SIGKILL');
  await container.ended();
});

test.each([
  ['runc', 'runc'],
  ['CRIU alone', false],
] as const)('a restore by %s that a hook refuses leaves nothing', async (_, runtime) => {
  const criu = client();
  const running = await counting();
  const { root, directory: bundle } = running.bundle;
  const imagesDirectory = await images();
  await (await openContainer(criu, 'counter', { root })).dump({ imagesDirectory });
  const before = await holdings();
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  let restored = 0;
  const cause = new Error('not today');
  const restoring = restoreContainer(criu, {
    ...{ imagesDirectory, id: 'counter', bundle, root, runtime },
    hooks: {
      postRestore(pid) {
        restored = pid;
        throw cause;
      },
    },
  });
  const error = await failureOf(restoring);
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', cause });
  expect(error.message).toContain('the hook of post-restore threw: not today');
  expect(existsSync(`/proc/${restored}`)).toBe(false);
  expect(running.status()).toBeUndefined();
  expect(await readdir(root)).toEqual([]);
  expect(await holdings()).toEqual(before);
  expect(await readFile('/proc/self/mountinfo', 'utf8')).toBe(mounts);
  // The images are as good as before.
  const { container } = await restoreContainer(criu, {
    imagesDirectory,
    id: 'counter',
    bundle,
    root,
    runtime,
  });
  expect(running.status()?.pid).toBe(container.pid);
});

test('containers that cannot be opened or restored are refused, by their names', async () => {
  const criu = client();
  const running = await counting('one');
  const { root, directory: bundle } = running.bundle;
  const code = 'ERR_CRIU_CONTAINER';
  expect(await failureOf(openContainer(criu, 'two', { root }))).toMatchObject({
    ...{ code, message: `openContainer: container two: there is none in ${root}` },
  });
  const imagesDirectory = await images();
  await (await openContainer(criu, 'one', { root })).dump({ imagesDirectory, leaveRunning: true });
  const options = { imagesDirectory, id: 'one', bundle, root };
  expect(await failureOf(restoreContainer(criu, options))).toMatchObject({
    ...{ code, message: expect.stringContaining('container one: it runs already (pid ') },
  });
  expect(await failureOf(restoreContainer(criu, { ...options, runtime: false }))).toMatchObject({
    ...{ code, message: `restoreContainer: container one: there is one already in ${root}` },
  });
  expect(running.status()?.status).toBe('running');
  removeAfterTest(running.bundle, 'other');
  const missing = await failureOf(
    restoreContainer(criu, { ...options, id: 'other', bundle: root }),
  );
  expect(missing).toMatchObject({
    code,
    message: expect.stringContaining(`cannot read ${root}/config.json`),
  });
  const unsuitable = await failureOf(
    restoreContainer(criu, { ...options, id: 'other', tcpClose: true }),
  );
  expect(unsuitable).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'tcpClose' });
});

test('a container is opened once its program runs', async () => {
  const bundle = await Bundle.make(COUNTER);
  const { root, directory } = bundle;
  await bundle.write();
  removeAfterTest(bundle, 'created');
  const output = join(await temporaryDirectory(), 'output');
  await runc(bundle, ['create', '--bundle', directory, 'created'], output);
  const open = async (id: string) => await openContainer(client(), id, { root });
  expect(await failureOf(open('created'))).toMatchObject({
    code: 'ERR_CRIU_CONTAINER',
    message: `openContainer: container created: it is not started yet; run: runc --root ${root} start created`,
  });
  await runc(bundle, ['start', 'created'], output);
  await (await open('created')).dump({ imagesDirectory: await images() });

  // The moment between is too short for a real one: this process is called as the init of runc is, for a while.
  const script = "printf 'runc:[2:INIT]' > /proc/self/comm; read line; exec sleep 1000";
  const init = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  const pid = init.pid as number;
  killAfterTest(pid);
  const nameOf = () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  await waitFor(() => nameOf() === 'runc:[2:INIT]', 'it has the name');
  const state = { id: 'early', init_process_pid: pid, init_process_start: startTimeOf(pid) };
  await mkdir(join(root, 'early'));
  const json = JSON.stringify({ ...state, config: { rootfs: bundle.rootfs } });
  await writeFile(join(root, 'early', 'state.json'), json);
  let isOpen = false;
  const opened = open('early').then(() => {
    isOpen = true;
    return nameOf();
  });
  await sleep(100);
  expect(isOpen).toBe(false);
  init.stdin.end('\n');
  expect(await opened).toBe('sleep');
});
