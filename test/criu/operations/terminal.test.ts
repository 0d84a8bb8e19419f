import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ReadStream } from 'node:tty';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { compileFixture } from '../../helpers/compile.ts';
import { closeAfterTest, nameOf, Output } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  client,
  isAlive,
  killAfterTest,
  sessionOf,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

const driver = join(import.meta.dirname, '../../fixtures/shell-job.mjs');

test('the hook of an orphaned terminal gets its new master, and the process talks through it', async () => {
  const criu = client();
  const { pid, imagesDirectory } = await dumpedOnTerminal({ orphanPtsMaster: true });

  let master = -1;
  const restored = await criu.restore({
    imagesDirectory,
    hooks: {
      orphanPtsMaster(fd) {
        master = fd;
      },
    },
  });
  expect(restored.pid).toBe(pid);
  expect(nameOf(master)).toMatch(/ptmx$/);
  const stream = new ReadStream(master);
  onTestFinished(() => void stream.destroy());
  const output = new Output(stream);
  stream.write('two\n');
  await output.has('2 two\n');

  // It is the only master: the process is hung up with it.
  stream.destroy();
  await restored.exited;
});

test('a terminal that was dumped as a shell job is orphaned nevertheless', async () => {
  const { imagesDirectory } = await dumpedOnTerminal({ shellJob: true });
  const masters: number[] = [];
  await client().restore({
    imagesDirectory,
    hooks: { orphanPtsMaster: (fd) => void masters.push(fd) },
  });
  expect(masters).toHaveLength(1);
  const stream = new ReadStream(masters[0] ?? -1);
  onTestFinished(() => void stream.destroy());
  const output = new Output(stream);
  stream.write('two\n');
  await output.has('2 two\n');
});

test('a master that no hook takes is closed: the restore fails and leaves nothing', async () => {
  const criu = client();
  const { pid, imagesDirectory } = await dumpedOnTerminal({ orphanPtsMaster: true });

  const scripts: string[] = [];
  const restored = criu.restore({
    imagesDirectory,
    orphanPtsMaster: true,
    hooks: { onNotify: ({ script }) => void scripts.push(script) },
  });
  // The terminal has hung up before the process is made its owner.
  await expect(restored).rejects.toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'gone' });
  expect(scripts).toContain('orphan-pts-master');
  expect((await holdings()).descriptors.filter((link) => link.endsWith('ptmx'))).toEqual([]);
  await waitGone(pid);
});

test('the error of a restore names who has the terminal whose number it needs', async () => {
  const criu = client();
  const { imagesDirectory } = await dumpedOnTerminal({ orphanPtsMaster: true });
  const hooks = { orphanPtsMaster: closeAfterTest };

  // The next terminal gets the number that is free now. Its program outlives the hang-up.
  const script = 'trap "" HUP; exec sleep 1000';
  const { pid, runner, closed } = await startOnTerminal('/bin/sh', ['-c', script]);
  const runs = async () => (await readlink(`/proc/${pid}/exe`)).endsWith('/sleep');
  await waitFor(runs, 'sleep runs');
  const failure = (owner: string) => ({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining(`restore: ${terminal} is in use by process ${owner}: tty: `),
    workload: 'gone',
  });
  const terminal = nameOf(0, pid);
  const first = await failureOf(criu.restore({ imagesDirectory, hooks }));
  expect(first).toMatchObject(failure(`${runner.pid} (pty-run)`));
  runner.kill();
  await closed;
  const second = await failureOf(criu.restore({ imagesDirectory, hooks }));
  expect(second).toMatchObject(failure(`${pid} (sleep)`));

  process.kill(pid, 'SIGKILL');
  await waitGone(pid);
  await criu.restore({ imagesDirectory, hooks });
});

test('an error of the hook undoes the restore', async () => {
  const criu = client();
  const { pid, imagesDirectory } = await dumpedOnTerminal({ orphanPtsMaster: true });
  const cause = new Error('no terminal wanted');
  const restored = criu.restore({
    imagesDirectory,
    hooks: {
      orphanPtsMaster(fd) {
        new ReadStream(fd).destroy();
        throw cause;
      },
    },
  });
  await expect(restored).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK', cause });
  await waitGone(pid);
});

test('without an option a process whose terminal is held outside is not dumped', async () => {
  const criu = client();
  const terminal = await startOnTerminal(await compileFixture('echo'));
  const imagesDirectory = await temporaryDirectory();
  await expect(criu.dump(terminal.pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/slave peer index \d+ without.*master.*orphanPtsMaster/),
    workload: 'running',
  });
  terminal.type('still here\n');
  await terminal.output.has('1 still here\n');
});

test('a shell job comes back into the session and onto the terminal of the restoring process', async () => {
  const { output, type, ask, pid: shell } = await startShell();
  const { value: pid } = await ask('pid');
  killAfterTest(Number(pid));
  expect(await sessionOf(Number(pid))).toBe(shell);
  type('one\n');
  await output.has('1 one\n');
  const imagesDirectory = await temporaryDirectory();

  const refused = await ask('dump', { imagesDirectory });
  expect(refused).toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('shellJob'),
  });
  type('two\n');
  await output.has('2 two\n');

  expect(await ask('dump', { imagesDirectory, shellJob: true })).toEqual({});
  expect(await isAlive(Number(pid))).toBe(false);
  expect(await ask('restore', { imagesDirectory, shellJob: false })).toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('shellJob'),
  });
  // What was begun of it is a zombie until somebody reaps it.
  await waitGone(Number(pid));

  expect(await ask('restore', { imagesDirectory })).toEqual({ value: pid });
  expect(await sessionOf(Number(pid))).toBe(shell);
  type('three\n');
  await output.has('3 three\n');
});

/** Dumps a program that has answered its first line, and waits until its terminal is gone. */
async function dumpedOnTerminal(options: { shellJob?: true; orphanPtsMaster?: true }) {
  const terminal = await startOnTerminal(await compileFixture('echo'));
  terminal.type('one\n');
  await terminal.output.has('1 one\n');
  const imagesDirectory = await temporaryDirectory();
  await client().dump(terminal.pid, { imagesDirectory, ...options });
  await terminal.closed;
  return { pid: terminal.pid, imagesDirectory };
}

interface Answer {
  value?: number;
  code?: string;
  message?: string;
}

/** Starts this library in a process on a terminal, where it runs a program. */
async function startShell() {
  const echo = await compileFixture('echo');
  const shell = await startOnTerminal(process.execPath, [driver, criuPath(), echo], ['pipe']);
  const answers = new Output(shell.channel);
  const ask = async (request: string, options: object = {}): Promise<Answer> => {
    answers.text = '';
    shell.channel.write(`${JSON.stringify({ request, options })}\n`);
    await answers.has('\n');
    return JSON.parse(answers.text) as Answer;
  };
  return { ...shell, ask };
}
