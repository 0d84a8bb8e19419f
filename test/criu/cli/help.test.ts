import { beforeAll, expect, test } from 'vitest';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';

beforeAll(buildCommand);

const verbs = [
  ...['run', 'preflight', 'dump', 'restore', 'verify', 'check'],
  ...['serve', 'migrate', 'resolve', 'cert', 'build-addon'],
];

test('--help lists every command', async () => {
  const { exitCode, stdout, stderr } = await nodeCriu(['--help']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect([...stdout.matchAll(/^ {2}([a-z-]+)(?: [[<]| {2})/gm)].map(([, verb]) => verb)).toEqual(
    verbs,
  );
});

test.each([...verbs, 'cert init', 'cert host'])(
  'the help of %s has a usage line, examples and the exit codes',
  async (verb) => {
    const { exitCode, stdout, stderr } = await nodeCriu([...verb.split(' '), '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Usage: node-criu ${verb} `);
    expect(stdout).toMatch(/Exit codes:\n( {2}\d+ .*\n){6}/);
    if (!verb.includes(' ')) expect(stdout).toContain(`\n  $ node-criu ${verb}`);
  },
);
