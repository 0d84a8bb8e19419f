import { rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { counting, countsInOrder } from '../../helpers/checkpoints.ts';
import { buildCommand, events, main, nodeCriu } from '../../helpers/command.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  killAfterTest,
  startCounter,
  temporaryDirectory,
  waitGone,
} from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('preflight, dump, verify and restore work on a program that run started', async () => {
  const counter = await counterByCommand();
  const pid = String(counter.pid);
  const images = join(await temporaryDirectory(), 'images');

  expect(await nodeCriu(['preflight', pid, '-D', images])).toEqual({
    exitCode: 0,
    stdout: `no problem found for process ${pid}`,
    stderr: '',
  });
  const dumped = await nodeCriu(['dump', pid, '-D', images]);
  expect(dumped).toMatchObject({ exitCode: 0 });
  expect(dumped.stdout).toMatch(
    /^\S+\/images: process \d+, [\d.]+ [KM]iB, frozen for \d+(\.\d)? m?s$/,
  );
  expect(dumped.stderr).toBe('freezing the processes\nwriting the images\nthe images are complete');
  await waitGone(counter.pid);
  expect((await stat(images)).mode & 0o777).toBe(0o700);

  expect(await nodeCriu(['verify', images])).toEqual({
    exitCode: 0,
    stdout: `the images in ${images} are complete`,
    stderr: '',
  });
  expect(await nodeCriu(['preflight', '-D', images])).toEqual({
    exitCode: 0,
    stdout: `no problem found for a restore of ${images}`,
    stderr: '',
  });
  const restored = await nodeCriu(['restore', '-D', images]);
  expect(restored).toMatchObject({ exitCode: 0, stdout: pid });
  const inUse = await nodeCriu(['preflight', '-D', images]);
  expect(inUse).toMatchObject({ exitCode: 3, stderr: '' });
  expect(inUse.stdout).toMatch(
    /^error PID_IN_USE: id \d+, the pid of process \d+ \(counter\), is in use/,
  );
  expect(restored.stderr).toMatch(/^creating the processes\n(.*\n)*the processes run$/);
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);
});

test('run, preflight, dump and restore follow each other where the parent reaps late', async () => {
  const directory = await temporaryDirectory();
  const script = [
    'set -e',
    `pid=$("$0" run -- ${await compileFixture('counter')} ${join(directory, 'numbers')})`,
    ...['"$0" preflight $pid', '"$0" dump $pid -D images', '"$0" restore -D images'],
  ].join('\n');
  const reaper = [await compileFixture('late-reaper'), '1000', 'sh', '-c', script, main] as const;
  const { exitCode, stdout, stderr } = await execa(reaper[0], reaper.slice(1), {
    cwd: directory,
    env: { CRIU_PATH: criuPath() },
    reject: false,
  });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const pid = Number(stdout.split('\n').at(-1));
  killAfterTest(pid);
  await counting(join(directory, 'numbers'), pid).countsOn();
});

test('with --json each line is an event, and the last one is the result', async () => {
  const counter = await counterByCommand();
  const pid = String(counter.pid);
  const images = join(await temporaryDirectory(), 'images');

  const looked = await nodeCriu(['preflight', pid, '--json']);
  expect(looked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(events(looked.stdout)).toEqual([
    { event: 'result', errors: 0, warnings: 0, kernelCache: 'kept' },
  ]);

  const dumped = await nodeCriu(['dump', pid, '-D', images, '--json']);
  expect(dumped).toMatchObject({ exitCode: 0, stderr: '' });
  const reported = events(dumped.stdout);
  expect(reported.findLast(({ event }) => event === 'progress')).toEqual({
    event: 'progress',
    bytes: expect.any(Number),
    aboutBytes: expect.any(Number),
  });
  const steps = reported.filter(({ event }) => event === 'step');
  expect(steps.map(({ step }) => step)).toEqual(['pre-dump', 'query-ext-files', 'post-dump']);
  expect(reported.at(-1)).toMatchObject({
    event: 'result',
    pid: counter.pid,
    imagesDirectory: images,
    stats: { pagesWritten: expect.any(Number), frozenTimeMs: expect.any(Number) },
  });
  await waitGone(counter.pid);

  const restored = await nodeCriu(['restore', '-D', images, '--json']);
  expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
  expect(events(restored.stdout).at(-1)).toMatchObject({
    event: 'result',
    pid: counter.pid,
    stats: { restoreTimeMs: expect.any(Number) },
  });
  await counter.countsOn();
});

test('on a terminal of 40 columns a bar shows the progress of a dump', async () => {
  const counter = await startCounter();
  const images = join(await temporaryDirectory(), 'images');
  const dump = ['dump', String(counter.pid), '-D', images, '--criu', criuPath()];
  const sized = ['-c', 'stty cols 40 rows 30; exec "$0" "$@"', process.execPath, main];
  const terminal = await startOnTerminal('/bin/sh', [...sized, ...dump]);
  await terminal.closed;
  expect(terminal.output.text).toMatch(/\[#{4,7}\] 100 % [\d.]+ [KM]iB of about/);
  expect(terminal.output.text).toContain(`${images}: process ${counter.pid}, `);

  const again = await startOnTerminal('/bin/sh', [...sized, ...dump]);
  await again.closed;
  expect(again.output.text).toContain('\x1B[1m\x1B[31mnode-criu:\x1B[39m\x1B[22m ');
  // Lines are broken at spaces.
  expect(again.output.text.replaceAll(/\r?\n +/g, ' ')).toContain(
    `dump of process ${counter.pid}: there is no process ${counter.pid} (ERR_CRIU_NO_SUCH_PROCESS)`,
  );
});

test('a checkpoint is kept unless --overwrite is given', async () => {
  const counter = await startCounter();
  const images = join(await temporaryDirectory(), 'images');
  const dump = ['dump', String(counter.pid), '-D', images, '--leave-running'];
  expect(await nodeCriu(dump)).toMatchObject({ exitCode: 0 });
  const { ino } = await stat(join(images, 'inventory.img'));
  const refused = await nodeCriu([...dump, '--quiet']);
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  expect(refused.stderr).toBe(
    `node-criu: --images-directory ${images} already holds a checkpoint: name another directory, or give --overwrite (ERR_CRIU_INVALID_ARGUMENT)`,
  );
  expect((await stat(join(images, 'inventory.img'))).ino).toBe(ino);
  expect(await nodeCriu([...dump, '--overwrite', '--quiet'])).toMatchObject({
    ...{ exitCode: 0, stderr: '' },
  });
  expect((await stat(join(images, 'inventory.img'))).ino).not.toBe(ino);
  expect(await nodeCriu(['verify', images])).toMatchObject({ exitCode: 0 });
});

test('options of the library are flags', async () => {
  const counter = await startCounter();
  const [images, work] = [await temporaryDirectory(), await temporaryDirectory()];
  const flags = ['--leave-running', '--log-level', '4', '--log-file', 'own.log'];
  const where = ['--images-directory', images, '--work-directory', work];
  expect(await nodeCriu(['dump', String(counter.pid), ...where, ...flags])).toMatchObject({
    exitCode: 0,
  });
  await counter.countsOn();
  expect((await stat(join(work, 'own.log'))).size).toBeGreaterThan(5000);
});

test('preflight and a failed dump report the cause with its remedy', async () => {
  const { pid } = await startOnTerminal(await compileFixture('counter'), [
    join(await temporaryDirectory(), 'numbers'),
  ]);
  const looked = await nodeCriu(['preflight', String(pid)]);
  expect(looked).toMatchObject({ exitCode: 3, stderr: '' });
  const line = looked.stdout.split('\n').find((each) => each.includes('error TERMINAL_OUTSIDE'));
  expect(line).toMatch(/--(orphan-pts-master|shell-job)/);

  const images = await temporaryDirectory();
  const dumped = await nodeCriu(['dump', String(pid), '-D', images, '--json']);
  expect(dumped).toMatchObject({ exitCode: 1 });
  expect(dumped.stderr).toMatch(/^node-criu: dump of process .* \(ERR_CRIU_FAILED\)$/m);
  expect(dumped.stderr).toContain(`  ${line}`);
  expect(dumped.stderr).toContain(`  log: ${join(images, 'dump.log')}`);
  expect(events(dumped.stdout).at(-1)).toMatchObject({
    event: 'error',
    code: 'ERR_CRIU_FAILED',
    pid,
    workload: 'running',
    findings: expect.arrayContaining([
      expect.objectContaining({ code: 'TERMINAL_OUTSIDE', remedy: expect.any(String) }),
    ]),
  });
});

test('verify reports each damaged image', async () => {
  const counter = await startCounter();
  const images = await temporaryDirectory();
  const pid = String(counter.pid);
  expect(await nodeCriu(['dump', pid, '-D', images, '--leave-running'])).toMatchObject({
    exitCode: 0,
  });
  await truncate(join(images, 'pages-1.img'), 4096);
  await rm(join(images, `core-${pid}.img`));
  const { exitCode, stdout } = await nodeCriu(['verify', images]);
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/^error PAGES_TRUNCATED: .*pages-1\.img has only 4096 of \d+ bytes\.$/m);
  expect(stdout).toMatch(/^error MISSING: .*core-\d+\.img is missing\.$/m);
  const json = await nodeCriu(['verify', images, '--json']);
  expect(json.exitCode).toBe(3);
  expect(events(json.stdout).map(({ event, code }) => code ?? event)).toEqual([
    'MISSING',
    'PAGES_TRUNCATED',
    'result',
  ]);
});

test('check reports the version of criu and the features of the kernel', async () => {
  const plain = await nodeCriu(['check']);
  expect(plain).toMatchObject({ exitCode: 0, stderr: '' });
  expect(plain.stdout).toMatch(/^CRIU \d+\.\d+(\.\d+)? works on this kernel\nmemory tracking/);
  const json = await nodeCriu(['check', '--json']);
  expect(events(json.stdout)).toEqual([
    {
      event: 'result',
      version: expect.objectContaining({ number: expect.any(Number) }),
      features: {
        memTrack: expect.any(Boolean),
        lazyPages: expect.any(Boolean),
        pidfdStore: expect.any(Boolean),
      },
      kernelCache: 'kept',
    },
  ]);
});

test('a refusal before anything is touched exits with 3', async () => {
  const directory = await temporaryDirectory();
  const counter = await startCounter();
  const gone = await startCounter();
  process.kill(gone.pid, 'SIGKILL');
  await waitGone(gone.pid);
  const cases = [
    [['dump', String(gone.pid), '-D', directory], 'ERR_CRIU_NO_SUCH_PROCESS'],
    [['preflight', String(gone.pid)], 'ERR_CRIU_NO_SUCH_PROCESS'],
    [['preflight', '-D', directory], 'ERR_CRIU_BAD_IMAGE'],
    [
      ['dump', String(counter.pid), '-D', directory, '--criu', '/no/such/criu'],
      'ERR_CRIU_NOT_FOUND',
    ],
    [['check', '--criu', '/bin/true'], 'ERR_CRIU_NOT_CRIU'],
    [['verify', join(directory, 'none')], 'ERR_CRIU_BAD_IMAGE'],
  ] as const;
  for (const [args, code] of cases) {
    const { exitCode, stdout, stderr } = await nodeCriu([...args, '--json']);
    expect({ args, exitCode }).toEqual({ args, exitCode: 3 });
    expect(stderr).toMatch(new RegExp(`^node-criu: .* \\(${code}\\)$`, 'm'));
    expect(events(stdout).at(-1)).toMatchObject({ event: 'error', code });
  }
  await counter.countsOn();
});

test('wrong usage exits with 2 and an error that says what is right', async () => {
  const images = await temporaryDirectory();
  const cases = [
    [['dump', '-D', images], "missing required argument 'pid'"],
    [['preflight'], 'give a pid, or the images of a restore with -D'],
    [['dump', '12'], "required option '-D, --images-directory <dir>' not specified"],
    [['dump', 'x', '-D', images], 'Give a pid'],
    [['dump', '12', '-D', images, '--tcp-establishd'], 'Did you mean --tcp-established?'],
    [['dump', '12', '-D', images, '--deadline', '5'], 'Give a duration such as 100ms, 10s or 5m.'],
    [['dump', '12', '-D', images, '--log-level', '9'], '--log-level takes an integer from 0 to 4'],
    [['dump', '12', '-D', images, '--network-lock', 'x'], "--network-lock takes one of 'iptables'"],
    [['dump', '12', '-D', images, '--inherit-fd', 'a=1'], "unknown option '--inherit-fd'"],
    [['restore', '-D', join(images, 'none')], '--images-directory takes a directory that exists'],
    [['restore', '-D', images, '--ext-mnt', 'a'], "'--ext-mnt <name=value>' argument 'a' is"],
    [['verify'], "missing required argument 'directory'"],
  ] as const;
  for (const [args, message] of cases) {
    const { exitCode, stdout, stderr } = await nodeCriu([...args, '--json']);
    expect({ args, exitCode }).toEqual({ args, exitCode: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^node-criu: .* \(ERR_CRIU_INVALID_ARGUMENT\)$/m);
    expect(events(stdout)).toEqual([
      expect.objectContaining({ event: 'error', code: 'ERR_CRIU_INVALID_ARGUMENT' }),
    ]);
  }
});

/** A program that shares no descriptor with this test. */
async function counterByCommand() {
  const file = join(await temporaryDirectory(), 'numbers');
  const { stdout } = await nodeCriu(['run', await compileFixture('counter'), file]);
  const pid = Number(stdout);
  killAfterTest(pid);
  const counter = counting(file, pid);
  await counter.countsOn();
  return { pid, ...counter };
}
