import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildCommand, events, main, startNodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { freePort, serve } from '../../helpers/serve-command.ts';
import { TcpProxy } from '../../helpers/tcp-proxy.ts';
import { temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

beforeAll(buildCommand);

const workload = { heapMiB: 16, hotMiB: 1, pagesPerSecond: 500 } as const;

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s while memory is copied cancels the migration, and the original continues',
  async (signal, exitCode) => {
    const directory = await temporaryDirectory();
    const { port } = await serve('127.0.0.1:0', '-D', join(directory, 'there'), '--insecure');
    const memory = await startMemoryWorkload(workload);
    const migrating = await startNodeCriu([
      ...['migrate', String(memory.pid), `127.0.0.1:${port}`, '--insecure', '--json'],
      ...['-D', join(directory, 'here'), '--mode', 'stop-and-copy'],
      ...['--rate-limit', '1MiB', '--rate-limit-frozen', '--grace-period', '100ms'],
    ]);
    await waitFor(() => migrating.stdout().includes('"aboutBytes"'), 'memory is copied');
    process.kill(migrating.pid, signal);
    const ended = await migrating.ended;
    expect(ended).toMatchObject({ exitCode });
    expect(ended.stderr).toMatch(/^node-criu: cancelling; press Ctrl-C again to kill criu/);
    expect(events(ended.stdout).at(-1)).toMatchObject({
      event: 'error',
      code: 'ERR_CRIU_ABORTED',
      workload: 'running',
    });
    await memory.verify();
    await memory.writesOn();
  },
);

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends serve with exit code 0', async (signal) => {
  const there = await temporaryDirectory();
  const serving = await serve('127.0.0.1:0', '-D', there, '--insecure', '--json');
  serving.signal(signal);
  expect(await serving.ended).toBe(0);
  expect(events(serving.said.join('\n'))).toEqual([
    expect.objectContaining({ event: 'listening', port: serving.port }),
    { event: 'result', migrations: [] },
  ]);
  expect(serving.stderr()).toMatch(
    /^node-criu: closing; processes that do not run here yet continue/,
  );
});

test('Ctrl-C on serve aborts a migration whose copy does not run yet, and the original continues', async () => {
  const { directory, serving, memory, migrating, release } =
    await blockedMigration('stop-and-copy');
  serving.signal('SIGINT');
  expect(await serving.ended).toBe(0);
  expect(serving.stderr()).toMatch(/^migration \S+: aborted: no process of it runs here: /m);
  await release();
  const { exitCode, stderr } = await migrating.ended;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
  expect(stderr).toContain('(the original runs on)');
  expect(existsSync(join(directory, 'back'))).toBe(true);
  await memory.verify();
  await memory.writesOn();
});

describe('while a copy runs that lacks memory', () => {
  test('the first Ctrl-C on migrate says that it waits, the second what is lost by ending it', async () => {
    const { directory, memory, migrating, release, pages } = await blockedMigration('post-copy');
    pages.stall();
    await release();
    await waitFor(() => migrating.stderr().includes('\nthe copy runs; the rest'), 'the copy runs');
    process.kill(migrating.pid, 'SIGINT');
    await waitFor(() => migrating.stderr().includes('waiting until'), 'the command waits');
    process.kill(migrating.pid, 'SIGINT');
    await waitFor(() => migrating.stderr().includes('again to exit'), 'the command warns');
    pages.heal();
    const { exitCode, stdout, stderr } = await migrating.ended;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^process \d+ runs on 127\.0\.0\.2: post-copy/);
    expect(stderr).toContain(
      'node-criu: the copy runs on 127.0.0.2 already; waiting until it has all',
    );
    const here = join(directory, 'here');
    expect(stderr).toMatch(
      new RegExp(
        `then loses its work, .* until you run: node-criu resolve \\S+ -D ${here} --insecure --switch-back 'touch ${directory}/back'$`,
        'm',
      ),
    );
    await waitGone(memory.pid);
    await memory.writesOn();
  });

  test('the third Ctrl-C on migrate ends it, and the resolve command that it printed works', async () => {
    const { memory, migrating, release, pages } = await blockedMigration('post-copy');
    pages.stall();
    await release();
    await waitFor(() => migrating.stderr().includes('\nthe copy runs; the rest'), 'the copy runs');
    for (const said of ['waiting until', 'again to exit']) {
      process.kill(migrating.pid, 'SIGINT');
      await waitFor(() => migrating.stderr().includes(said), said);
    }
    process.kill(migrating.pid, 'SIGINT');
    const { exitCode, stderr } = await migrating.ended;
    expect(exitCode).toBeUndefined();
    pages.cut();
    const [, line = ''] = /until you run: node-criu (resolve .*)$/m.exec(stderr) ?? [];
    const resolved = await execa('sh', ['-c', `"$0" ${line}`, main]);
    expect(resolved).toMatchObject({ exitCode: 0 });
    expect(resolved.stdout).toMatch(/^owner: source$/m);
    await memory.verifyOriginal();
  });

  test('Ctrl-C on serve waits until the copy has all of its memory', async () => {
    const { serving, migrating, release, pages } = await blockedMigration('post-copy');
    pages.stall();
    await release();
    await waitFor(() => serving.stderr().includes(': resumed: '), 'the copy runs');
    serving.signal('SIGINT');
    await waitFor(
      () => serving.stderr().includes('waiting for the memory of a copy'),
      'the command waits',
    );
    pages.heal();
    expect(await serving.ended).toBe(0);
    expect(serving.stderr()).toMatch(/: complete: process \d+ runs, with all of its memory\n$/);
    expect(await migrating.ended).toMatchObject({ exitCode: 0 });
  });
});

/** Starts a migration that waits in its switch-over; memory goes through a proxy of its own. */
async function blockedMigration(mode: string) {
  const directory = await temporaryDirectory();
  const pagePort = await freePort();
  const serving = await serve(
    ...['127.0.0.1:0', '-D', join(directory, 'there'), '--insecure', '--page-port', `${pagePort}`],
  );
  await TcpProxy.start('127.0.0.2', '127.0.0.1', [serving.port]);
  const pages = await TcpProxy.start('127.0.0.2', '127.0.0.1', [pagePort]);
  const memory = await startMemoryWorkload(workload);
  const [reached, go] = ['reached', 'go'].map((name) => join(directory, name)) as [string, string];
  const migrating = await startNodeCriu([
    ...['migrate', String(memory.pid), `127.0.0.2:${serving.port}`, '--insecure', '--mode', mode],
    ...['-D', join(directory, 'here'), '--switch-back', `touch ${join(directory, 'back')}`],
    ...['--switch-over', `touch ${reached}; until [ -e ${go} ]; do sleep 0.01; done`],
  ]);
  await waitFor(() => existsSync(reached), 'the switch-over waits');
  const release = () => writeFile(go, '');
  return { directory, serving, memory, migrating, release, pages };
}
