import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  killAfterTest,
  statOf,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('--foreground passes signals on, and exits as the program does', async () => {
  const images = join(await temporaryDirectory(), 'images');
  const { stdout } = await nodeCriu(['run', await compileFixture('exit-when-told'), '7']);
  const pid = Number(stdout);
  killAfterTest(pid);
  expect(await nodeCriu(['dump', stdout, '-D', images])).toMatchObject({ exitCode: 0 });
  await waitGone(pid);
  for (const [signal, exitCode] of [
    ['SIGUSR1', 7],
    ['SIGTERM', 143],
  ] as const) {
    const restoring = await startNodeCriu(['restore', '-D', images, '--foreground']);
    await waitFor(() => catchesHangup(restoring.pid), 'it passes signals on');
    process.kill(restoring.pid, signal);
    const ended = await restoring.ended;
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    await waitGone(pid);
  }
});

test('a shell job that is restored on a terminal has the terminal until it ends', async () => {
  const images = join(await temporaryDirectory(), 'images');
  const shell = await startOnTerminal('/bin/bash', ['--norc', '--noprofile', '-i']);
  const foreground = async () => Number((await statOf(shell.pid))?.[5]);
  shell.type('cat\n');
  await waitFor(async () => (await nameOf(await foreground())) === 'cat', 'cat runs');
  const pid = await foreground();
  const dumped = await nodeCriu(['dump', String(pid), '-D', images, '--shell-job']);
  expect(dumped).toMatchObject({ exitCode: 0 });
  await waitGone(pid);
  const restore = `${main} restore -D ${images} --shell-job --criu ${criuPath()}`;
  shell.type(`${restore}; echo "exit code $?"\n`);
  await waitFor(async () => (await foreground()) === pid, 'cat has the terminal');
  shell.type('two\n');
  await shell.output.has('\ntwo\n');
  shell.type('\x03');
  await shell.output.has('\nexit code 130\n');
  expect(await foreground()).toBe(shell.pid);
  shell.type('exit\n');
  await shell.closed;
});

/** True if a process handles SIGHUP. */
async function catchesHangup(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return /^SigCgt:\t.*[13579bdf]$/m.test(status);
}

async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
}
