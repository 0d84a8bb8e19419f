import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildCommand);

const verbs = [
  ...['run', 'preflight', 'dump', 'iterate', 'restore', 'lazy-restore', 'verify', 'check'],
  ...['checkpoint', 'list', 'prune', 'rm', 'warm', 'copy', 'container'],
  ...['show', 'report', 'diff', 'memory', 'merge', 'edit', 'decode', 'encode'],
  ...['serve', 'migrate', 'migrations', 'resolve', 'fleet', 'cert', 'completion', 'build-addon'],
];

test('--help lists every command', async () => {
  const { exitCode, stdout, stderr } = await nodeCriu(['--help']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout.split('\n').length).toBeLessThanOrEqual(50);
  expect([...stdout.matchAll(/^ {2}([a-z][a-z-]*) {2}/gm)].map(([, verb]) => verb)).toEqual(verbs);
});

test('the help of a command goes to standard output, --help-all with the exit codes', async () => {
  const short = await nodeCriu(['dump', '--help']);
  expect(short).toMatchObject({ exitCode: 0, stderr: '' });
  expect(short.stdout).not.toContain('Exit codes');
  const full = await nodeCriu(['dump', '--help-all']);
  expect(full).toMatchObject({ exitCode: 0, stderr: '' });
  expect(full.stdout).toMatch(/Exit codes:\n( {2}\d+ .*\n){6}/);
});

test('bash completes commands, flags and files', async () => {
  const script = join(await temporaryDirectory(), 'completion');
  await writeFile(script, (await nodeCriu(['completion', 'bash'])).stdout);
  const { output, type, closed } = await startOnTerminal('/bin/bash', ['--rcfile', script, '-i']);
  type(`node-criu() { printf '<%s>' "$@"; }\n`);
  type(`node-criu du\t 12 --tcp-e\t -D ${script.slice(0, -3)}\t\n`);
  await output.has(`<dump><12><--tcp-established><-D><${script}>`);
  type('node-criu cert h\t lab --da\t 5\n');
  await output.has('<cert><host><lab><--days><5>');
  type('exit\n');
  await closed;
});
