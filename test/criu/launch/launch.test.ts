import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import {
  type CheckpointableProcess,
  type SpawnCheckpointableOptions,
  spawnCheckpointable,
} from '../../../src/index.ts';
import { native } from '../../../src/native/index.ts';
import { counting } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { closeAfterTest, nameOf, Output, pipe } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import {
  client,
  killAfterTest,
  processState,
  sessionOf,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

const launcher = join(import.meta.dirname, '../../fixtures/launch.mjs');

test('a program leads its own session, and has no descriptors except its streams', async () => {
  const { pid } = await launch('sleep', ['1000']);
  expect(await sessionOf(pid)).toBe(pid);
  await expect
    .poll(() => descriptorsOf(pid))
    .toEqual({ 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
});

test('a program can have another user, and pid and IPC namespaces of its own', async () => {
  const { pid } = await launch('sleep', ['1000'], { uid: 1234, gid: 5678, groups: [9, 8] });
  expect(await statusOf(pid)).toMatchObject({
    ...{ Uid: Array(4).fill(1234).join('\t'), Gid: Array(4).fill(5678).join('\t') },
    Groups: expect.stringMatching(/^8 9 ?$/),
    NoNewPrivs: '0',
  });
  const refused = { operation: 'spawnCheckpointable', code: 'ERR_CRIU_INVALID_ARGUMENT' };
  for (const [options, option] of [
    [{ uid: 1 }, 'gid'],
    [{ gid: 1 }, 'uid'],
    [{ groups: [1] }, 'uid'],
    [{ uid: -1, gid: 1 }, 'uid'],
    [{ uid: 1, gid: 1, pidNamespace: true }, 'pidNamespace'],
  ] as const) {
    expect(await failureOf(spawnCheckpointable('sleep', [], options))).toMatchObject({
      ...{ ...refused, option },
    });
  }

  const numbers = join(await temporaryDirectory(), 'numbers');
  const namespaces = { pidNamespace: true, ipcNamespace: true };
  const program = await launch(await compileFixture('counter'), [numbers], namespaces);
  expect((await statusOf(program.pid)).NSpid).toBe(`${program.pid}\t1`);
  const ipc = (of: number | 'self') => readlink(`/proc/${of}/ns/ipc`);
  expect(await ipc(program.pid)).not.toBe(await ipc('self'));
  const counter = counting(numbers, program.pid);
  await counter.countsOn();
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(program.pid, { imagesDirectory });
  const restored = await criu.restore({ imagesDirectory });
  killAfterTest(restored.pid);
  expect((await statusOf(restored.pid)).NSpid).toBe(`${restored.pid}\t1`);
  await counter.countsOn();
});

test('preflight tells of a program with pids of its own that has given up root', async () => {
  const dropping = ['--reuid=1234', '--regid=5678', '--clear-groups', 'sleep', '1000'];
  const { pid } = await launch('setpriv', dropping, { pidNamespace: true });
  await waitFor(
    async () => (await statusOf(pid)).Uid?.startsWith('1234') === true,
    'it has given up root',
  );
  const findings = await client().preflight(pid, {});
  expect(findings).toContainEqual({
    ...{ code: 'MISSING_CAPABILITY', severity: 'error', pid },
    message: expect.stringContaining('sees the /proc of another pid namespace'),
    remedy: expect.stringContaining('without a pid namespace of its own'),
  });
  const imagesDirectory = await temporaryDirectory();
  const error = await failureOf(client().dump(pid, { imagesDirectory }));
  expect(error).toMatchObject({ workload: 'running' });
  // With the root that it had, it can be dumped.
  const other = await launch('sleep', ['1000'], { pidNamespace: true });
  expect(await client().preflight(other.pid, {})).toEqual([]);
});

test('listening() resolves once a process of the program listens, not another one', async () => {
  const script = "require('node:net').createServer().listen(8123, '127.0.0.2')";
  const shell = 'read line; "$0" -e "$1"; exit 3';
  const [stdin, gate] = pipe();
  const program = await launch('sh', ['-c', shell, process.execPath, script], { stdin });
  const other = createServer().listen(8123, '127.0.0.1');
  onTestFinished(() => void other.close());
  const giveUp = new AbortController();
  const stopped = failureOf(program.listening(8123, { signal: giveUp.signal }));
  const listening = program.listening(8123);
  await new Promise((resolve) => other.once('listening', resolve));
  giveUp.abort();
  expect(await stopped).toMatchObject({ code: 'ERR_CRIU_ABORTED', pid: program.pid });
  writeSync(gate, '\n');
  await listening;
  process.kill(await childOf(program.pid), 'SIGKILL');
  // Until then the child may still have its socket.
  await program.exited;
  expect(await failureOf(program.listening(8123))).toMatchObject({
    ...{ code: 'ERR_CRIU_PROGRAM_ENDED', pid: program.pid, exit: { code: 3, signal: null } },
  });
  expect(await failureOf(program.listening(0))).toMatchObject({ option: 'port' });
});

test('a program inherits neither descriptors nor ignored signals of the launcher', async () => {
  // Node.js marks only the lower descriptors close-on-exec: a child of child_process inherits 40.
  const script = 'exec 40< /dev/zero; trap "" INT HUP PIPE; exec "$0" "$@"';
  const args = [process.execPath, launcher, await compileFixture('counter'), '{}', '/dev/null'];
  const control = 'child_process.spawnSync("ls", ["-l", "/proc/self/fd"], { stdio: "inherit" })';
  const ordinary = await execa('bash', ['-c', script, process.execPath, '-e', control]);
  expect(ordinary.stdout).toContain('40 -> /dev/zero');

  const { stdout } = await execa('bash', ['-c', script, ...args]);
  const pid = Number(stdout);
  killAfterTest(pid);
  // The counter opens its file itself.
  await expect
    .poll(async () => Object.keys(await descriptorsOf(pid)))
    .toEqual(['0', '1', '2', '3']);
  expect(await statusOf(pid)).toMatchObject({ SigIgn: '0'.repeat(16), SigBlk: '0'.repeat(16) });
});

test('streams on files are read and appended to, and new files have mode 0600', async () => {
  const directory = await temporaryDirectory();
  const [stdin, stdout, stderr] = ['in', 'out', 'err'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(stdin, 'given\n');
  await writeFile(stdout, 'before\n');
  const script = 'cat; echo wrong >&2; exit 7';
  const { exited } = await launch('sh', ['-c', script], { stdin, stdout, stderr });
  expect(await exited).toEqual({ code: 7, signal: null });
  expect(await readFile(stdout, 'utf8')).toBe('before\ngiven\n');
  expect(await readFile(stderr, 'utf8')).toBe('wrong\n');
  expect((await stat(stderr)).mode & 0o777).toBe(0o600);
});

test('two streams on one file do not overwrite each other', async () => {
  const file = join(await temporaryDirectory(), 'both');
  const script = 'echo 1; echo 2 >&2; echo 3; echo 4 >&2';
  const { exited } = await launch('sh', ['-c', script], { stdout: file, stderr: file });
  await exited;
  expect(await readFile(file, 'utf8')).toBe('1\n2\n3\n4\n');
});

test('a program is found on the PATH of its environment, and gets its directory, environment and arguments', async () => {
  const directory = await temporaryDirectory();
  const program = join(directory, 'my-program');
  await writeFile(program, '#!/bin/sh\npwd; echo "$GREETING,$UNSET"; printf "[%s]" "$0" "$@"\n');
  await chmod(program, 0o755);
  const stdout = join(directory, 'out');
  const { exited } = await launch('my-program', ['a b', '', 'ü'], {
    cwd: '/usr',
    env: { PATH: `/nonexistent:${directory}:/usr/bin:/bin`, GREETING: 'hello', UNSET: undefined },
    stdout,
  });
  expect(await exited).toEqual({ code: 0, signal: null });
  expect(await readFile(stdout, 'utf8')).toBe(`/usr\nhello,\n[${program}][a b][][ü]`);
});

test('a path with a slash is relative to the working directory of the program', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'here'), '#!/bin/sh\nexit 5\n');
  await chmod(join(directory, 'here'), 0o755);
  const { exited } = await launch('./here', [], { cwd: directory });
  expect(await exited).toEqual({ code: 5, signal: null });
});

test('a handle reports the signal that ended the program, and whether a signal was delivered', async () => {
  const program = await launch('sleep', ['1000']);
  expect(program.kill(0)).toBe(true);
  expect(program.kill('SIGSTOP')).toBe(true);
  await waitFor(async () => (await processState(program.pid)) === 'T', 'the program is stopped');
  expect(program.kill('SIGCONT')).toBe(true);
  expect(program.kill()).toBe(true);
  expect(await program.exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(program.kill()).toBe(false);
  expect(await processState(program.pid)).toBeUndefined();
  const error = await failureOf(() => program.kill('SIGNOTHING' as NodeJS.Signals));
  expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'signal' });
});

test('a dumped program is killed, and a restore gives a new handle', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const imagesDirectory = join(directory, 'images');
  const file = join(directory, 'numbers');
  const program = await launch(await compileFixture('counter'), [file]);
  const lines = async () => (await readFile(file, 'utf8').catch(() => '')).trim().split('\n');
  await waitFor(async () => (await lines()).length > 5, 'the program counts');
  await criu.dump(program.pid, { imagesDirectory });
  expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(program.kill()).toBe(false);

  const before = (await lines()).length;
  const restored = await criu.restore({ imagesDirectory, asChild: true });
  await waitFor(async () => (await lines()).length > before + 5, 'the program counts on');
  expect(restored.kill('SIGINT')).toBe(true);
  expect(await restored.exited).toEqual({ code: null, signal: 'SIGINT' });
  const numbers = (await lines()).map(Number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('pipes to the caller work before a dump and, through inheritNames, after a restore', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const echo = await compileFixture('echo');
  const first = await pipes();
  const program = await launch(echo, [], { stdin: first.stdin, stdout: first.stdout });
  expect(program.inheritNames).toEqual({
    0: nameOf(first.stdin.fd),
    1: nameOf(1, program.pid),
  });
  expect(program.external).toEqual([]);
  first.write('one\n');
  await first.output.has('1 one\n');
  await criu.dump(program.pid, { imagesDirectory, external: program.external });
  await program.exited;

  const second = await pipes();
  const restored = await criu.restore({
    imagesDirectory,
    inheritFd: {
      [program.inheritNames[0] ?? '']: second.stdin,
      [program.inheritNames[1] ?? '']: second.stdout,
    },
  });
  expect(nameOf(0, restored.pid)).toBe(nameOf(second.stdin.fd));
  second.write('two\n');
  await second.output.has('2 two\n');
  expect(first.output.text).toBe('1 one\n');

  // It can be dumped again by what its handle knows, or the handle of somebody who did not restore it.
  const names = { 0: nameOf(second.stdin.fd), 1: nameOf(1, restored.pid) };
  expect(restored).toMatchObject({ inheritNames: names, external: [] });
  const attached = await criu.attach(restored.pid);
  expect(attached).toMatchObject({ inheritNames: names, external: [] });
  const again = { imagesDirectory, overwrite: true, external: restored.external };
  await criu.dump(restored.pid, again);
  expect(await attached.exited).toEqual({ code: null, signal: null });
  const third = await pipes();
  const [stdin = '', stdout = ''] = Object.values(restored.inheritNames);
  const inheritFd = { [stdin]: third.stdin, [stdout]: third.stdout };
  await criu.restore({ imagesDirectory, inheritFd });
  third.write('three\n');
  await third.output.has('3 three\n');
});

test('one end of a unix socket pair can be outside with the external of the handle', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const first = socketPair();
  const program = await launch('cat', [], {
    stdin: first.theirs,
    descriptors: { 7: first.theirs },
  });
  const name = nameOf(first.theirs);
  expect(program.inheritNames).toEqual({ 0: name, 7: name });
  expect(program.external).toEqual([name.replace('socket:', 'unix')]);
  await expect
    .poll(() => descriptorsOf(program.pid))
    .toEqual({ 0: name, 1: '/dev/null', 2: '/dev/null', 7: name });

  const refused = await failureOf(criu.dump(program.pid, { imagesDirectory }));
  expect(refused).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  await criu.dump(program.pid, { imagesDirectory, external: program.external });

  const second = socketPair();
  const restored = await criu.restore({ imagesDirectory, inheritFd: { [name]: second.theirs } });
  const { pid } = restored;
  const again = nameOf(second.theirs);
  await expect
    .poll(() => descriptorsOf(pid))
    .toEqual({ 0: again, 1: '/dev/null', 2: '/dev/null', 7: again });
  const known = {
    inheritNames: { 0: again, 7: again },
    external: [again.replace('socket:', 'unix')],
  };
  expect(restored).toMatchObject(known);
  expect(await criu.attach(pid)).toMatchObject(known);
  await criu.dump(pid, { imagesDirectory, overwrite: true, external: restored.external });
});

test('attach refuses what is no process', async () => {
  const criu = client();
  expect(await failureOf(criu.attach(0x7ffffffe))).toMatchObject({
    ...{ code: 'ERR_CRIU_NO_SUCH_PROCESS', operation: 'attach' },
  });
  expect(await failureOf(criu.attach(0))).toMatchObject({
    ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'pid' },
  });
});

test('an accepted connection of a unix socket works before a dump and after a restore', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const first = await unixConnection();
  const program = await launch(await compileFixture('echo'), [], {
    stdin: first.accepted,
    stdout: first.accepted,
  });
  first.near.write('one\n');
  await first.output.has('1 one\n');
  await criu.dump(program.pid, { imagesDirectory, external: program.external });
  await program.exited;

  const second = await unixConnection();
  await criu.restore({
    imagesDirectory,
    inheritFd: { [program.inheritNames[0] ?? '']: second.accepted },
  });
  second.near.write('two\n');
  await second.output.has('2 two\n');
});

test('a terminal of another session can be outside with the external of the handle', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const [stdin, input] = pipe();
  const terminal = await startTerminal();
  const stdout = await open(terminal.path, 'r+');
  onTestFinished(() => stdout.close());
  const program = await launch(await compileFixture('echo'), [], { stdin, stdout });
  writeSync(input, 'one\n');
  await terminal.output.has('1 one\n');
  const name = program.inheritNames[1] ?? '';
  expect(name).toMatch(/^tty\[[0-9a-f]+:[0-9a-f]+\]$/);
  expect(program.external).toEqual([name]);
  const { inheritNames, external } = program;
  expect(await criu.attach(program.pid)).toMatchObject({ inheritNames, external });

  const refused = await failureOf(criu.dump(program.pid, { imagesDirectory }));
  expect(refused).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  await criu.dump(program.pid, { imagesDirectory, external: program.external });
  await program.exited;
  await criu.restore({
    imagesDirectory,
    inheritFd: { [program.inheritNames[0] ?? '']: stdin, [name]: stdout },
  });
  writeSync(input, 'two\n');
  await terminal.output.has('2 two\n');
});

test('files and listening sockets are not in inheritNames: CRIU opens them itself', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const imagesDirectory = join(directory, 'images');
  const file = await open(join(directory, 'file'), 'a');
  onTestFinished(() => file.close());
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listening = (server as unknown as { _handle: { fd: number } })._handle;
  const program = await launch('sleep', ['1000'], { descriptors: { 3: file, 9: listening } });
  server.close();
  expect(program.inheritNames).toEqual({});
  expect(program.external).toEqual([]);
  await criu.dump(program.pid, { imagesDirectory });
  const { pid } = await criu.restore({ imagesDirectory });
  await expect
    .poll(() => descriptorsOf(pid))
    .toMatchObject({ 3: join(directory, 'file'), 9: expect.stringMatching(/^socket:/) });
});

test('streams given as descriptors are set to blocking mode', async () => {
  const [reading] = pipe();
  const flags = async (pid: number) => {
    const info = await readFile(`/proc/${pid}/fdinfo/0`, 'utf8');
    return Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? '', 8);
  };
  const { pid } = await launch('sleep', ['1000'], { stdin: reading });
  expect((await flags(pid)) & 0o4000).toBe(0);
});

test('io_uring_setup fails as on a kernel without io_uring, in children too and after a restore', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const imagesDirectory = join(directory, 'images');
  const fixture = await compileFixture('io-uring');

  // Without the filter it uses io_uring; otherwise the rest of this test would prove nothing.
  const plain = join(directory, 'plain');
  await startProgram(fixture, [], { stdout: plain });
  await waitFor(
    async () => (await words(plain)).size === 2,
    'an ordinary program opens an io_uring',
  );
  expect(await words(plain)).toEqual(new Set(['parent opened', 'child opened']));

  const stdout = join(directory, 'out');
  const refused = new Set(['parent ENOSYS', 'child ENOSYS']);
  const program = await launch(fixture, [], { stdout });
  await waitFor(async () => (await words(stdout)).size === 2, 'parent and child have tried');
  const child = await childOf(program.pid);
  await criu.dump(program.pid, { imagesDirectory });
  await program.exited;
  await waitGone(child);
  expect(await words(stdout)).toEqual(refused);

  await writeFile(stdout, '');
  const restored = await criu.restore({ imagesDirectory });
  await waitFor(async () => (await words(stdout)).size === 2, 'parent and child have tried again');
  expect(await words(stdout)).toEqual(refused);
  expect(await statusOf(restored.pid)).toMatchObject({ Seccomp: '2', NoNewPrivs: '0' });
});

test('without CAP_SYS_ADMIN the filter is installed too, and the program cannot gain privileges', async () => {
  const directory = await temporaryDirectory();
  const imagesDirectory = join(directory, 'images');
  const stdout = join(directory, 'out');
  const fixture = await compileFixture('io-uring');
  const drop = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
  const ran = await execa('setpriv', [
    ...drop,
    process.execPath,
    launcher,
    fixture,
    JSON.stringify({ stdout }),
  ]);
  const pid = Number(ran.stdout);
  killAfterTest(pid);
  await waitFor(async () => (await words(stdout)).size === 2, 'parent and child have tried');
  expect(await words(stdout)).toEqual(new Set(['parent ENOSYS', 'child ENOSYS']));
  expect(await statusOf(pid)).toMatchObject({ Seccomp: '2', NoNewPrivs: '1' });

  // The program outlives its launcher, and a privileged process can dump it.
  const criu = client();
  const child = await childOf(pid);
  await criu.dump(pid, { imagesDirectory });
  await waitGone(pid);
  await waitGone(child);
  const restored = await criu.restore({ imagesDirectory });
  expect(await statusOf(restored.pid)).toMatchObject({ Seccomp: '2', NoNewPrivs: '1' });
});

test('no descriptors or processes leak in the caller, after success or failure', async () => {
  const directory = await temporaryDirectory();
  const files = ['out', 'err'].map((name) => join(directory, name));
  const [stdout = '', stderr = ''] = files;
  const run = async () => {
    expect(await (await launch('true', [], { stdout, stderr })).exited).toMatchObject({ code: 0 });
  };
  await run();
  const before = await holdings();
  await run();
  await failureOf(spawnCheckpointable('no-such-program', [], { stdout, stderr }));
  await failureOf(spawnCheckpointable('true', [], { stdout, stderr: directory }));
  await writeFile(join(directory, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 });
  await failureOf(spawnCheckpointable(join(directory, 'script'), [], { stdout, stderr }));
  expect(await holdings()).toEqual(before);
});

test('a program that cannot be started is refused with the reason', async () => {
  const directory = await temporaryDirectory();
  const path = (name: string) => join(directory, name);
  await writeFile(path('not-executable'), '#!/bin/sh\n');
  await writeFile(path('bad-interpreter'), '#!/no/such/interpreter\n', { mode: 0o755 });
  await writeFile(path('no-program'), 'just text\n', { mode: 0o755 });
  await mkdir(path('directory'));
  const cases = [
    ['no-such-program', 'ERR_CRIU_NOT_FOUND', 'there is no no-such-program on PATH'],
    [path('nothing'), 'ERR_CRIU_NOT_FOUND', `there is no ${path('nothing')}`],
    [path('not-executable'), 'ERR_CRIU_NO_PERMISSION', 'permission denied'],
    [path('directory'), 'ERR_CRIU_NO_PERMISSION', 'is a directory'],
    ['/dev/null', 'ERR_CRIU_NO_PERMISSION', 'is not a file'],
    [path('bad-interpreter'), 'ERR_CRIU_NOT_FOUND', 'there is no such interpreter'],
    [path('no-program'), 'ERR_CRIU_SYSTEM', 'neither a program for this system nor a script'],
  ] as const;
  for (const [file, code, message] of cases) {
    const error = await failureOf(spawnCheckpointable(file));
    expect(error, file).toMatchObject({ code, operation: 'spawnCheckpointable' });
    expect(error.message).toMatch(/^spawnCheckpointable: /);
    expect(error.message).toContain(message);
  }
});

test('invalid input is refused by the name of the option, before anything is opened or started', async () => {
  const directory = await temporaryDirectory();
  const stdout = join(directory, 'out');
  const closed = await open('/dev/null', 'r');
  await closed.close();
  const destroyed = new Socket().destroy();
  const cases: [option: string, file: unknown, args: unknown, options: unknown][] = [
    ['file', '', [], {}],
    ['file', 7, [], {}],
    ['file', 'tr\0ue', [], {}],
    ['args', 'true', 'one', {}],
    ['args', 'true', [1], {}],
    ['args', 'true', new Array(1), {}],
    ['args', 'true', ['a\0b'], {}],
    ['args', 'true', ['\ud800'], {}],
    ['options', 'true', [], null],
    ['options', 'true', [], 'cwd'],
    ['stdio', 'true', [], { stdio: 'ignore' }],
    ['cwd', 'true', [], { cwd: 7 }],
    ['cwd', 'true', [], { cwd: join(directory, 'nothing') }],
    ['cwd', 'true', [], { cwd: '/dev/null' }],
    ['env', 'true', [], { env: 'A=1' }],
    ['env', 'true', [], { env: null }],
    ['env', 'true', [], { env: { 'A=B': '1' } }],
    ['env.A', 'true', [], { env: { A: 1 } }],
    ['env.A', 'true', [], { env: { A: 'a\0b' } }],
    ['stdin', 'true', [], { stdin: '' }],
    ['stdin', 'true', [], { stdin: null }],
    ['stdin', 'true', [], { stdin: -1 }],
    ['stdin', 'true', [], { stdin: 1_000_000 }],
    ['stderr', 'true', [], { stderr: closed }],
    ['stderr', 'true', [], { stderr: destroyed }],
    ['stderr', 'true', [], { stderr: ['a'] }],
    ['descriptors', 'true', [], { descriptors: [0] }],
    ['descriptors', 'true', [], { descriptors: { 2: 0 } }],
    ['descriptors', 'true', [], { descriptors: { three: 0 } }],
    ['descriptors', 'true', [], { descriptors: { '03': 0 } }],
    ['descriptors', 'true', [], { descriptors: { 2147483647: 0 } }],
    ['descriptors.3', 'true', [], { descriptors: { 3: 1_000_000 } }],
    ['descriptors.3', 'true', [], { descriptors: { 3: '/dev/null' } }],
  ];
  for (const [option, file, args, options] of cases) {
    const given =
      options !== null && typeof options === 'object' ? { stdout, ...options } : options;
    const started = spawnCheckpointable(
      file as string,
      args as string[],
      given as SpawnCheckpointableOptions,
    );
    const error = await failureOf(started);
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
    expect(error.message).toMatch(/^spawnCheckpointable: /);
    expect(error.message).toContain(option);
  }
  expect(await readdir(directory)).toEqual([]);
  expect(await children()).toEqual([]);
});

test('a stream on a file that cannot be opened is refused by name', async () => {
  const directory = await temporaryDirectory();
  const nothing = join(directory, 'nothing');
  for (const [option, value] of [
    ['stdin', nothing],
    ['stdout', directory],
    ['stderr', join(nothing, 'file')],
  ] as const) {
    const error = await failureOf(spawnCheckpointable('true', [], { [option]: value }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
    expect(error.message).toContain(value);
  }
});

/** Starts a program, which is killed after the test, whether it is the original or restored. */
async function launch(
  file: string,
  args: readonly string[] = [],
  options: SpawnCheckpointableOptions = {},
): Promise<CheckpointableProcess> {
  const program = await spawnCheckpointable(file, args, options);
  killAfterTest(program.pid);
  return program;
}

/** The open descriptors of a program. Polls, because the dynamic linker opens libraries for a moment. */
async function descriptorsOf(pid: number): Promise<Record<string, string>> {
  const numbers = await readdir(`/proc/${pid}/fd`);
  return Object.fromEntries(
    await Promise.all(
      numbers.map(async (number) => [number, await readlink(`/proc/${pid}/fd/${number}`)]),
    ),
  );
}

/** The only child of a process. */
async function childOf(pid: number): Promise<number> {
  return Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

async function statusOf(pid: number): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s+/)));
}

/** The different lines of a file. */
async function words(file: string): Promise<Set<string>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return new Set(text.split('\n').slice(0, -1));
}

/** A pipe to a program as a FileHandle, and one from it as a Socket. */
async function pipes() {
  const [input, inputEnd] = pipe();
  const [outputEnd, output] = pipe();
  const stdin = await open(`/proc/self/fd/${input}`, 'r');
  onTestFinished(() => stdin.close());
  // A Socket closes the descriptor that it is made from.
  const stdout = new Socket({ fd: output, readable: false });
  const near = new Socket({ fd: inputEnd, readable: false });
  const far = new Socket({ fd: outputEnd, writable: false });
  for (const socket of [stdout, near, far]) onTestFinished(() => void socket.destroy());
  return { stdin, stdout, output: new Output(far), write: (text: string) => void near.write(text) };
}

function socketPair(): { ours: number; theirs: number } {
  const [ours, theirs] = native().socketpair();
  closeAfterTest(ours);
  closeAfterTest(theirs);
  return { ours, theirs };
}

/** The two ends of a connection; Node.js does not read from the accepted one. */
async function unixConnection() {
  const path = join(await temporaryDirectory(), 'socket');
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accept = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect(path);
  const accepted = await accept;
  server.close();
  for (const socket of [near, accepted]) onTestFinished(() => void socket.destroy());
  return { near, accepted, output: new Output(near) };
}

/** A terminal of another session, and the text written to it. */
async function startTerminal() {
  const runner = spawn(await compileFixture('pty-run'), ['/bin/sleep', '1000']);
  onTestFinished(() => void runner.kill('SIGKILL'));
  const output = new Output(runner.stdout);
  await output.has('\n');
  const pid = Number.parseInt(output.text, 10);
  killAfterTest(pid);
  await waitFor(() => nameOf(0, pid).startsWith('/dev/pts/'), 'the terminal is there');
  return { path: nameOf(0, pid), output };
}
