import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openContainer, restoreContainer } from '../../src/containers.ts';
import { preCopy } from '../../src/index.ts';
import { compileFixture } from '../helpers/compile.ts';
import { twoRounds } from '../helpers/iterations.ts';
import { ContainerHost } from '../helpers/migrating-containers.ts';
import { Bundle, COUNTER, countsOn, pipeInto } from '../helpers/runc.ts';
import { client, temporaryDirectory, waitFor } from '../helpers/workload.ts';

test('rounds of a container on cgroup v2 are restored by runc, with all of its memory', async () => {
  const criu = client();
  const program = await compileFixture('memory');
  const bundle = await Bundle.make([program, '/tmp/writes', '16', '2', '500', 'fixed']);
  await bundle.bindHost(dirname(program));
  const running = await bundle.run('memory');
  await waitFor(async () => (await running.lines()).includes('ready'), 'the memory is filled');
  const { root, directory } = bundle;
  const container = await openContainer(criu, 'memory', { root });
  expect(await container.preflight()).toEqual([]);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const iteration = await container.iterate({ imagesDirectory, tracking: 'soft-dirty' });
  const pages: number[] = [];
  for await (const { stats } of preCopy(iteration, twoRounds)) pages.push(stats.pagesWritten);
  // The second round has only what has changed since the first.
  expect(pages[1]).toBeLessThan((pages[0] ?? 0) / 2);
  const dumped = await iteration.dump();
  await container.delete();
  const after = `${running.output}.2`;
  const output = pipeInto(after);
  await restoreContainer(criu, {
    ...{ imagesDirectory: dumped.directory, id: 'memory', bundle: directory, root },
    stdio: ['ignore', output, output],
  });
  output.close();
  running.call('kill', 'USR1');
  await waitFor(async () => (await running.lines(after))[0]?.startsWith('ok ') === true, 'ok');
});

test('pre-copy moves a container on cgroup v2 in rounds of tracked pages, with all of its memory', async () => {
  const criu = client();
  const program = await compileFixture('memory');
  const shared = await temporaryDirectory();
  const args = [program, join(shared, 'writes'), '20', '2', '500', 'fixed'];
  const bundle = await Bundle.make(args);
  await bundle.bindHost(dirname(program), shared);
  const running = await bundle.run('memory');
  await waitFor(async () => (await running.lines()).includes('ready'), 'the memory is filled');
  const host = await ContainerHost.start(criu, args, {
    change: (there) => there.bindHost(dirname(program), shared),
    holdMs: 120_000,
  });
  const container = await openContainer(criu, 'memory', { root: bundle.root });
  const migration = await container.migrate({
    ...{
      ...host.to,
      mode: 'pre-copy',
      tracking: 'soft-dirty',
      policy: twoRounds,
      stallMs: 120_000,
    },
    directory: await temporaryDirectory(),
  });
  const { pid, rounds, phases } = await migration.result;
  expect({ rounds, phases }).toMatchObject({ rounds: 2, phases: { pages: expect.any(Number) } });
  expect(running.status()).toBeUndefined();
  const copy = host.container('memory');
  expect(copy.status()).toMatchObject({ status: 'running', pid });
  copy.call('kill', 'USR1');
  await waitFor(async () => (await copy.lines())[0]?.startsWith('ok ') === true, 'ok');
  copy.call('kill', 'KILL');
  await waitFor(() => copy.status()?.status === 'stopped', 'the copy has ended');
  copy.call('delete');
  expect(await host.leftovers()).toEqual([]);
}, 240_000);

test('without a runtime a container on cgroup v2 gets its cgroup and limits again, and runc knows it', async () => {
  const criu = client();
  const bundle = await Bundle.make(COUNTER);
  bundle.config.linux.resources = { pids: { limit: 50 }, memory: { limit: 64 << 20 } };
  const running = await bundle.run('counter');
  await countsOn(running);
  const { root, directory } = bundle;
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const container = await openContainer(criu, 'counter', { root });
  const [cgroup] = (await readFile(`/proc/${container.pid}/cgroup`, 'utf8')).split('\n');
  const limits = `/sys/fs/cgroup${cgroup?.slice('0::'.length)}`;
  expect(await readFile(join(limits, 'pids.max'), 'utf8')).toBe('50\n');
  await container.dump({ imagesDirectory });
  expect(existsSync(limits)).toBe(false);
  const after = `${running.output}.2`;
  const output = pipeInto(after);
  const restored = await restoreContainer(criu, {
    ...{ imagesDirectory, id: 'counter', bundle: directory, root, runtime: false },
    stdio: ['ignore', output, output],
  });
  output.close();
  await countsOn(running, after);
  const { pid } = restored.container;
  expect((await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n')[0]).toBe(cgroup);
  expect(await readFile(join(limits, 'pids.max'), 'utf8')).toBe('50\n');
  expect(await readFile(join(limits, 'memory.max'), 'utf8')).toBe(`${64 << 20}\n`);
  expect(running.status()).toMatchObject({ status: 'running', pid });
  running.call('pause');
  expect(running.status()?.status).toBe('paused');
  running.call('resume');
  running.call('kill', 'KILL');
  await restored.container.ended();
  running.call('delete');
  expect(await readdir(root)).toEqual([]);
});
