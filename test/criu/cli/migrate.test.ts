import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, events, main, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { freePort, serve } from '../../helpers/serve-command.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const deadlineAt = join(import.meta.dirname, '../../fixtures/deadline-at.mjs');

beforeAll(buildCommand);

const workload = { heapMiB: 16, hotMiB: 1, pagesPerSecond: 500 } as const;

test('serve and migrate move a process with certificates of cert, and report it as events', async () => {
  const directory = await temporaryDirectory();
  const lab = join(directory, 'lab');
  expect(await nodeCriu(['cert', 'init', lab])).toMatchObject({ exitCode: 0 });
  for (const name of ['source', 'target', 'stranger']) {
    const made = await nodeCriu(['cert', 'host', lab, name, '127.0.0.1']);
    expect(made).toMatchObject({ exitCode: 0 });
  }
  const trust = (name: string) => [
    ...['--ca', join(lab, 'ca.pem'), '--cert', join(lab, `${name}.pem`)],
    ...['--key', join(lab, `${name}.key`)],
  ];
  const { port, said } = await serve(
    ...['127.0.0.1:0', '-D', join(directory, 'there'), '--json', '--criu', criuPath()],
    ...['--authorize', 'other', '--authorize', 'source', ...trust('target')],
  );
  const pagePort = expect.any(Number);
  expect(events(said[0] ?? '')).toEqual([
    { event: 'listening', host: '127.0.0.1', port, pagePort },
  ]);

  const memory = await startMemoryWorkload(workload);
  const place = `127.0.0.1:${port}`;
  const own = ['-D', join(directory, 'here')];
  const foreign = await nodeCriu(['migrate', String(memory.pid), place, ...own, '--insecure']);
  expect(foreign).toMatchObject({ exitCode: 3 });
  expect(foreign.stderr).toContain('ERR_CRIU_MIGRATION_REFUSED');
  const args = ['migrate', String(memory.pid), place, ...own, '--mode', 'stop-and-copy'];
  const stranger = await nodeCriu([...args, ...trust('stranger')]);
  expect(stranger).toMatchObject({ exitCode: 3 });
  expect(stranger.stderr).toContain('This host does not accept the migration.');
  await memory.writesOn();

  const { exitCode, stdout, stderr } = await nodeCriu([...args, '--json', ...trust('source')]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const emitted = events(stdout);
  expect(emitted.map(({ phase, step }) => phase ?? step)).toContain('hand-over');
  expect(emitted.at(-1)).toMatchObject({ pid: memory.pid, mode: 'stop-and-copy' });
  await waitGone(memory.pid);
  await memory.writesOn();

  const [refused, offered, ...states] = events(said.join('\n')).slice(1);
  const offer = { program: 'memory', mode: 'stop-and-copy', memoryBytes: expect.any(Number) };
  const by = (name: string) => expect.objectContaining({ name });
  expect(refused).toMatchObject({ step: 'not-authorized', ...offer, peer: by('stranger') });
  expect(offered).toMatchObject({ event: 'step', step: 'offered', ...offer, peer: by('source') });
  expect(states.map(({ step }) => step)).toEqual([
    ...['receiving', 'prepared', 'resuming', 'resumed', 'complete'],
  ]);
  const { id } = offered as { id: string };
  expect(states.at(-1)).toEqual({
    ...{ event: 'step', step: 'complete', id, pid: memory.pid },
    ...{ peer: 'source', bytes: expect.any(Number) },
  });
});

test('serve and migrate outlive the readers of their output', async () => {
  const directory = await temporaryDirectory();
  const serving = await serve(
    ...['127.0.0.1:0', '-D', join(directory, 'there'), '--insecure', '--json'],
  );
  serving.hangUp();
  const memory = await startMemoryWorkload(workload);
  const child = spawn(
    main,
    [
      ...['migrate', String(memory.pid), `127.0.0.1:${serving.port}`, '--insecure'],
      ...['-D', join(directory, 'here'), '--mode', 'stop-and-copy'],
    ],
    { env: { ...process.env, CRIU_PATH: criuPath() }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stdout.destroy();
  child.stderr.destroy();
  expect(await once(child, 'exit')).toEqual([0, null]);
  await waitGone(memory.pid);
  await memory.writesOn();
});

test('serve reports migrations in plain lines, and receives memory on --page-port', async () => {
  const directory = await temporaryDirectory();
  const pages = await freePort();
  const serving = await serve(
    ...['127.0.0.1:0', '-D', join(directory, 'there'), '--insecure', '--page-port', String(pages)],
  );
  const { port } = serving;
  expect(serving.said).toEqual([`listening on 127.0.0.1:${port}`]);
  const memory = await startMemoryWorkload(workload);
  const migrating = await nodeCriu([
    ...[
      'migrate',
      String(memory.pid),
      `127.0.0.1:${port}`,
      '--insecure',
      '--mode',
      'stop-and-copy',
    ],
    // The limit does not hold for a frozen tree: the memory would take hours.
    ...['-D', join(directory, 'here'), '--criu', criuPath(), '--rate-limit', '1KiB'],
    ...['--switch-over', `ss -Htn state established dport = :${pages} | grep -q ${pages}`],
  ]);
  expect(migrating).toMatchObject({ exitCode: 0 });
  await waitGone(memory.pid);
  const lines = serving.stderr().split('\n').filter(Boolean);
  const [, id] =
    /^migration (\S+): offered: memory, .* MiB, stop-and-copy, by /.exec(lines[0] ?? '') ?? [];
  expect(lines.slice(1)).toEqual([
    `migration ${id}: receiving: its memory is being received`,
    `migration ${id}: prepared: process ${memory.pid} is restored and does not run yet`,
    `migration ${id}: resuming: process ${memory.pid} is being started`,
    `migration ${id}: resumed: process ${memory.pid} runs, and the rest of its memory follows`,
    `migration ${id}: complete: process ${memory.pid} runs, with all of its memory`,
  ]);
});

test('on a terminal a bar shows the progress of a migration', async () => {
  const directory = await temporaryDirectory();
  const { port } = await serve('127.0.0.1:0', '-D', join(directory, 'there'), '--insecure');
  const memory = await startMemoryWorkload(workload);
  const sized = ['-c', 'stty cols 120 rows 30; exec "$0" "$@"', process.execPath, main];
  const terminal = await startOnTerminal('/bin/sh', [
    ...[...sized, 'migrate', String(memory.pid), `127.0.0.1:${port}`, '--insecure'],
    ...['--mode', 'stop-and-copy', '-D', join(directory, 'here'), '--criu', criuPath()],
    ...['--rate-limit', '8MiB', '--rate-limit-frozen', '--switch-over', 'sleep 1'],
  ]);
  await terminal.closed;
  const { text } = terminal.output;
  expect(text).toMatch(/\[#*-*\] +\d+ % dumping: \d+\.\d MiB of about \d+\.\d MiB, \d+\.\d MiB\/s/);
  expect(text).toMatch(/\[-*###-*\] moving the addresses while neither copy runs, for \d+ ms/);
  expect(text).toContain(`process ${memory.pid} runs on 127.0.0.1`);
});

test('a migration that exceeds its deadline fails, and the original continues', async () => {
  const directory = await temporaryDirectory();
  const { port } = await serve('127.0.0.1:0', '-D', join(directory, 'there'), '--insecure');
  const memory = await startMemoryWorkload(workload);
  const switched = join(directory, 'switched');
  const { ended } = await startNodeCriu(
    [
      ...['DEADLINE_MS=8000', `DEADLINE_AT=${switched}`],
      ...[process.execPath, '--import', deadlineAt, main, 'migrate', String(memory.pid)],
      ...[`127.0.0.1:${port}`, '--insecure', '--mode', 'stop-and-copy'],
      ...['-D', join(directory, 'here'), '--deadline', '8s'],
      ...['--switch-over', `touch ${switched}; sleep 1000`],
    ],
    '/usr/bin/env',
  );
  const { exitCode, stderr } = await ended;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
  expect(stderr).toMatch(/phase switch-over: .*8000 ms.* runs on\) \(ERR_CRIU_TIMEOUT\)$/m);
  expect(stderr).not.toMatch(/^ +log: /m);
  await memory.writesOn();
});

test('migrate reports its result, with rounds by default', async () => {
  const directory = await temporaryDirectory();
  const { port } = await serve('127.0.0.1:0', '-D', join(directory, 'there'), '--insecure');
  const memory = await startMemoryWorkload(workload);
  const args = ['migrate', String(memory.pid), `127.0.0.1:${port}`, '--insecure'];
  const { exitCode, stdout } = await nodeCriu([...args, '-D', join(directory, 'here')]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/process \d+ runs on 127\.0\.0\.1: pre-copy, .*, down for /);
  await waitGone(memory.pid);
});

test('wrong usage exits with 2 and an error that says what is right', async () => {
  const insecure = ['--insecure'];
  const cases = [
    [['migrate', '12', '127.0.0.1', ...insecure], 'Give an endpoint such as 192.0.2.1:7007'],
    [['migrate', '12', '127.0.0.1:0', ...insecure], 'Give the port that serve printed.'],
    [['migrate', '12', '127.0.0.1:1', '--mode', 'fly', ...insecure], '--mode takes one of'],
    [['migrate', '12', '127.0.0.1:1', '--rate-limit', '0', ...insecure], '--rate-limit takes'],
    [['migrate', '12', '127.0.0.1:1'], 'give all of --ca, --cert and --key'],
    [['migrate', '12', '192.0.2.1:1', ...insecure], '--insecure is for loopback addresses only'],
    [
      ['migrate', '12', '127.0.0.1:1', '--ca', '/none', '--cert', '/none', '--key', '/none'],
      '--ca takes a PEM file that can be read',
    ],
    [['serve', '127.0.0.1:0', ...insecure], "required option '-D, --directory <dir>'"],
    [['serve', '0.0.0.0:0', '-D', '/tmp/never', ...insecure], '--insecure is for loopback'],
    [['serve', '127.0.0.1:0', '-D', '/tmp/never', '--page-port', 'x', ...insecure], 'Give a port'],
    [
      ['serve', '127.0.0.1:0', '-D', '/tmp/never', '--authorize', 'a', ...insecure],
      '--authorize needs certificates',
    ],
    [['resolve', 'nobody', ...insecure], 'takes the id of a migration'],
  ] as const;
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await nodeCriu(args);
    expect({ args, exitCode }).toEqual({ args, exitCode: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^node-criu: .* \(ERR_CRIU_INVALID_ARGUMENT\)$/m);
  }
});
