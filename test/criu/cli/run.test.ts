import { chmod, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { compileFixture } from '../../helpers/compile.ts';
import { nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import {
  client,
  isAlive,
  killAfterTest,
  sessionOf,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

const root = resolve(import.meta.dirname, '../../..');
const main = join(root, 'dist/cli/main.js');

test('a program that run started from a shell can be dumped and restored', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const imagesDirectory = join(directory, 'images');
  const script = join(directory, 'app.js');
  await writeFile(script, 'let n = 0; setInterval(() => console.log(++n), 10);\n');
  const started = await run(
    ['run', '--stdout', 'out', '--', nodePath(26), ...nodeOptions(26), 'app.js'],
    directory,
  );
  expect(started).toMatchObject({ exitCode: 0, stderr: '' });
  const pid = pidOf(started.stdout);
  const numbers = async () =>
    (await readFile(join(directory, 'out'), 'utf8')).split('\n').slice(0, -1).map(Number);
  await waitFor(async () => (await numbers()).length > 5, 'the program counts');
  expect(await linksOf(pid)).not.toContain('anon_inode:[io_uring]');

  await criu.dump(pid, { imagesDirectory });
  await waitGone(pid);
  const before = (await numbers()).length;
  expect((await criu.restore({ imagesDirectory })).pid).toBe(pid);
  await waitFor(async () => (await numbers()).length > before + 5, 'the program counts on');
  const all = await numbers();
  expect(all).toEqual(all.map((_, index) => index + 1));
});

test('npx finds the command in the checkout', async () => {
  const { stdout } = await execa('npx', ['--no', 'node-criu', 'run', '--', 'sleep', '1000'], {
    cwd: root,
  });
  const pid = pidOf(stdout);
  expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toBe('sleep\x001000\0');
});

test('the program has its streams, directory and arguments, and inherits nothing from the shell', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'in'), 'given\n');
  const args = ['--json', '--', '--cwd', 'x'];
  const script = 'cat; pwd; echo wrong >&2; echo "$@"; exec sleep 1000';
  const options = [
    '--cwd',
    '/usr',
    '--stdin',
    'in',
    '--stdout',
    'ignore',
    '--stderr=err',
    '--json',
  ];
  const { stdout, exitCode } = await run(
    ['run', ...options, 'sh', '-c', script, 'sh', ...args],
    directory,
  );
  expect(exitCode).toBe(0);
  const { pid, ...others } = JSON.parse(stdout) as { pid: number };
  killAfterTest(pid);
  expect(others).toEqual({});
  const text = (name: string) => readFile(join(directory, name), 'utf8');
  const expected = 'given\n/usr\n--json -- --cwd x\n';
  await waitFor(async () => (await text('ignore')) === expected, 'all has been written');
  expect(await text('err')).toBe('wrong\n');
  expect(await linksOf(pid)).toEqual(['in', 'ignore', 'err'].map((name) => join(directory, name)));
  expect(await sessionOf(pid)).toBe(pid);
});

test('the program has its variables, user and namespaces, and --wait-port waits until it listens', async () => {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o755);
  const script = join(directory, 'server.cjs');
  const reported =
    'JSON.stringify([process.pid, process.getuid(), process.getgid(), process.env.A])';
  await writeFile(
    script,
    `require('node:net').createServer().listen(8124, () => console.log(${reported}))`,
  );
  const options = [
    ...['--env', 'A=x=y', '--env', 'B=', '--user', 'root:nogroup', '--pid-namespace'],
    ...['--ipc-namespace', '--wait-port', '8124', '--stdout', 'out'],
  ];
  const started = await run(['run', ...options, '--', process.execPath, script], directory);
  expect(started).toMatchObject({ exitCode: 0, stderr: '' });
  const pid = pidOf(started.stdout);
  const ipc = (of: number | 'self') => readlink(`/proc/${of}/ns/ipc`);
  expect(await ipc(pid)).not.toBe(await ipc('self'));
  const group = Number((await execa('getent', ['group', 'nogroup'])).stdout.split(':')[2]);
  const text = () => readFile(join(directory, 'out'), 'utf8');
  await expect.poll(text).toBe(`${JSON.stringify([1, 0, group, 'x=y'])}\n`);

  const ended = ['--stderr', 'err', '--wait-port', '8125', 'sh', '-c', 'echo why >&2; exit 5'];
  expect(await run(['run', ...ended], directory)).toMatchObject({
    exitCode: 1,
    stderr: 'node-criu: sh ended at once with exit code 5 (ERR_CRIU_PROGRAM_ENDED)\n  stderr: why',
  });
  for (const [flags, message] of [
    [['--user', 'no-such-user'], '--user: user no-such-user has no account'],
    [['--env', 'x'], 'Give a variable such as NAME=VALUE.'],
    [['--wait-port', '0'], 'Give a port from 1 to 65535.'],
  ] as const) {
    const refused = await run(['run', ...flags, 'sleep', '1000']);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain(message);
  }
});

test('a program that ends at once is reported with its exit code and the end of its stderr', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'log'), 'older\n');
  const counting = 'i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo $i; done >&2; exit 3';
  const failing = ['sh', '-c', counting];
  const named = await run(['run', '--stderr', 'log', '--', ...failing], directory);
  expect(named).toMatchObject({ exitCode: 1, stdout: '' });
  const lines = Array.from({ length: 40 }, (_, index) => `  stderr: ${index + 11}`);
  expect(named.stderr.split('\n')).toEqual([
    'node-criu: sh ended at once with exit code 3 (ERR_CRIU_PROGRAM_ENDED)',
    ...lines,
  ]);

  const complaining = ['sh', '-c', "echo it\\'s over >&2; kill -TERM $$"];
  const discarded = await run(['run', '--json', '--', ...complaining], directory);
  expect(discarded).toMatchObject({ exitCode: 1 });
  expect(discarded.stderr.split('\n')).toEqual([
    'node-criu: sh ended at once by SIGTERM; its standard error was discarded (ERR_CRIU_PROGRAM_ENDED)',
    expect.stringMatching(
      /^ {2}to see it, run: node-criu run --stderr stderr.log --json -- sh -c /,
    ),
  ]);
  const [, typed = ''] = discarded.stderr.split('run: node-criu ');
  const again = await asTyped(typed, directory);
  expect(again.stderr).toContain("\n  stderr: it's over");
  expect(JSON.parse(discarded.stdout)).toMatchObject({
    ...{ event: 'error', code: 'ERR_CRIU_PROGRAM_ENDED', exit: { code: null, signal: 'SIGTERM' } },
  });
});

test('a shell whose program ends after a while is reported, too', async () => {
  // It waits for nothing, so that it does not pass for a program that has started.
  const counting = 'i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; exit 7';
  const ended = await run(['run', 'sh', '-c', `sh -c '${counting}'; exit $?`]);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toContain('sh ended at once with exit code 7; its standard error was');
});

test('a Node program that does not exist is reported', async () => {
  const directory = await temporaryDirectory();
  const streams = ['--stdout', 'log', '--stderr', 'log'];
  const ended = await run(['run', ...streams, '--', process.execPath, 'nosuch.js'], directory);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toContain('ended at once with exit code 1 (ERR_CRIU_PROGRAM_ENDED)');
  expect(ended.stderr).toContain(`stderr: Error: Cannot find module '${directory}/nosuch.js'`);
});

test('the program outlives the command', async () => {
  const file = join(await temporaryDirectory(), 'numbers');
  const { stdout } = await run(['run', await compileFixture('counter'), file]);
  const pid = pidOf(stdout);
  const size = async () => (await readFile(file, 'utf8').catch(() => '')).length;
  const before = await size();
  await waitFor(async () => (await size()) > before + 20, 'the program counts');
  expect(await isAlive(pid)).toBe(true);
});

test('help goes to standard output', async () => {
  const all = await run(['--help']);
  expect(all).toMatchObject({ exitCode: 0, stderr: '' });
  expect(all.stdout).toMatch(/^Usage: node-criu /);
  expect(all.stdout).toMatch(/^ {2}run /m);
  const verb = await run(['run', '--help']);
  expect(verb).toMatchObject({ exitCode: 0, stderr: '' });
  for (const name of [
    '--cwd',
    '--stdin',
    '--stdout',
    '--stderr',
    '--json',
    'Examples:',
    '-- node',
  ]) {
    expect(verb.stdout).toContain(name);
  }
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(await run(['--version'])).toMatchObject({ exitCode: 0, stdout: version });
});

test('wrong usage prints one line and the command for help, and exits with 2', async () => {
  const cases = [
    [['frob'], "unknown command 'frob'", 'node-criu --help'],
    [['--frob'], "unknown option '--frob'", 'node-criu --help'],
    [['run'], "missing required argument 'program'", 'node-criu run --help'],
    [
      ['run', '--jsn', 'sleep'],
      "unknown option '--jsn' (Did you mean --json?)",
      'node-criu run --help',
    ],
    [['run', '--cwd'], "option '--cwd <dir>' argument missing", 'node-criu run --help'],
  ] as const;
  for (const [args, message, help] of cases) {
    expect(await run(args)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: `node-criu: ${message} (ERR_CRIU_INVALID_ARGUMENT)\nTry: ${help}`,
    });
  }
  expect(await run([])).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(/^Usage: node-criu /),
  });
});

test('a missing file or directory is wrong usage too', async () => {
  const cases = [
    [['--cwd', '/no/such'], "--cwd takes an existing directory, not '/no/such'"],
    [['--stdin', '/no/such'], '--stdin takes a file that can be opened (ENOENT'],
    [['--stdout', '/no/such'], '--stdout takes a file that can be opened (ENOENT'],
    [['--stderr', '/'], '--stderr takes a file that can be opened (EISDIR'],
    [['--stderr', ''], '--stderr takes'],
  ] as const;
  for (const [options, message] of cases) {
    const { exitCode, stdout, stderr } = await run(['run', ...options, 'sleep', '1000']);
    expect(stderr).toContain(`node-criu: ${message}`);
    expect(stderr).toMatch(/^[^\n]* \(ERR_CRIU_INVALID_ARGUMENT\)$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  }
});

test('a program that cannot be started prints one line with a code, and exits with 1', async () => {
  const directory = await temporaryDirectory();
  const script = join(directory, 'script');
  await writeFile(script, '#!/no/such/interpreter\n', { mode: 0o755 });
  const cases = [
    ['no-such-program', 'there is no no-such-program on PATH (ERR_CRIU_NOT_FOUND)'],
    [
      directory,
      `cannot execute ${directory}: ${directory} is a directory (ERR_CRIU_NO_PERMISSION)`,
    ],
    [script, `cannot start ${script}: there is no such interpreter (ERR_CRIU_NOT_FOUND)`],
  ] as const;
  for (const [program, message] of cases) {
    expect(await run(['run', program])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: `node-criu: ${message}`,
    });
  }
});

test('output that cannot be written is a failure without a stack trace', async () => {
  const full = 'exec "$0" run sleep 1000 > /dev/full';
  const { exitCode, stderr } = await execa('sh', ['-c', full, main], {
    env: { FORCE_COLOR: undefined },
    reject: false,
  });
  expect(stderr).toMatch(/^node-criu: [^\n]*ENOSPC[^\n]*$/);
  expect(exitCode).toBe(1);

  const hungUp = await execa('bash', ['-c', '"$0" run --help | head -c 1', main], {
    reject: false,
  });
  expect(hungUp).toMatchObject({ stdout: 'U', stderr: '' });
});

/** Runs the installed file as a shell does, through its first line. */
async function run(args: readonly string[], cwd = root) {
  const { exitCode, stdout, stderr } = await execa(main, args, {
    cwd,
    env: { FORCE_COLOR: undefined },
    reject: false,
    timeout: 30_000,
  });
  return { exitCode, stdout, stderr };
}

/** Types the command into a shell. */
async function asTyped(typed: string, cwd: string) {
  const { stderr } = await execa(`${main} ${typed}`, { cwd, shell: true, reject: false });
  return { stderr };
}

/** The pid that the command printed; kills the process after the test. */
function pidOf(stdout: string): number {
  expect(stdout).toMatch(/^[1-9]\d*$/);
  const pid = Number(stdout);
  killAfterTest(pid);
  return pid;
}

/** The targets of a process's descriptors, in the order of their numbers. */
async function linksOf(pid: number): Promise<string[]> {
  const numbers = (await readdir(`/proc/${pid}/fd`)).map(Number).sort((a, b) => a - b);
  return await Promise.all(numbers.map((number) => readlink(`/proc/${pid}/fd/${number}`)));
}
