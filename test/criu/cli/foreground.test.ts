import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  killAfterTest,
  processState,
  statOf,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('--foreground passes signals on, stops with the program, and exits as it does', async () => {
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
    await waitFor(() => isReady(restoring.pid), 'it passes signals on');
    process.kill(restoring.pid, signal);
    const ended = await restoring.ended;
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    await waitGone(pid);
  }
  const shell = await startShell();
  shell.type(
    `${main} restore -D ${images} --foreground --criu ${criuPath()}; echo "exit code $?"\n`,
  );
  await waitFor(async () => isReady(await shell.foreground()), 'the command passes signals on');
  const command = await shell.foreground();
  shell.type('\x1a');
  await waitFor(async () => (await shell.foreground()) === shell.pid, 'the shell has the terminal');
  expect(await Promise.all([command, pid].map(processState))).toEqual(['T', 'T']);
  shell.type('bg\n');
  await waitFor(
    async () => (await processState(pid)) === 'S',
    'the program runs in the background',
  );
  expect(await shell.foreground()).toBe(shell.pid);
  shell.type('fg; echo "exit code $?"\n');
  await waitFor(async () => (await shell.foreground()) === command, 'the command is in front');
  process.kill(pid, 'SIGUSR1');
  await shell.output.has('\nexit code 7\n');
});

test('a shell job that is restored on a terminal has the terminal until it ends', async () => {
  const images = join(await temporaryDirectory(), 'images');
  const shell = await startShell();
  shell.type('cat\n');
  await waitFor(async () => (await nameOf(await shell.foreground())) === 'cat', 'cat runs');
  const pid = await shell.foreground();
  const dumped = await nodeCriu(['dump', String(pid), '-D', images, '--shell-job']);
  expect(dumped).toMatchObject({ exitCode: 0 });
  await waitGone(pid);
  const restore = `${main} restore -D ${images} --shell-job --criu ${criuPath()}`;
  shell.type(`${restore}; echo "exit code $?"\n`);
  await waitFor(async () => (await shell.foreground()) === pid, 'cat has the terminal');
  shell.type('two\n');
  await shell.output.has('\ntwo\n');
  shell.type('\x1a');
  await waitFor(async () => (await shell.foreground()) === shell.pid, 'the shell has the terminal');
  shell.type('fg; echo "exit code $?"\n');
  await waitFor(async () => (await shell.foreground()) === pid, 'cat has the terminal again');
  shell.type('three\n');
  await shell.output.has('\nthree\n');
  shell.type('\x03');
  await shell.output.has('\nexit code 130\n');
  expect(await shell.foreground()).toBe(shell.pid);
  shell.type('exit\n');
  await shell.closed;
});

/** An interactive shell; `foreground` returns the process group that has its terminal. */
async function startShell() {
  const shell = await startOnTerminal('/bin/bash', ['--norc', '--noprofile', '-i']);
  return { ...shell, foreground: async () => Number((await statOf(shell.pid))?.[5]) };
}

/** True if the command handles SIGTSTP (20), the last signal for which it installs a handler. */
async function isReady(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, caught = '0'] = /^SigCgt:\t(.*)$/m.exec(status) ?? [];
  return ((BigInt(`0x${caught}`) >> 19n) & 1n) === 1n;
}

async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
}
