import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCommand, events, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { ask, TEMPLATE_PORT } from '../../helpers/copies.ts';
import { listeningGuest } from '../../helpers/guest.ts';
import { nodeOptions } from '../../helpers/node-versions.ts';
import { isAlive, killAfterTest, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

beforeAll(buildCommand);

const server = join(import.meta.dirname, '../../fixtures/copied-server.mjs');
const program = [process.execPath, ...nodeOptions(), server, String(TEMPLATE_PORT)];

test('warm makes a template, and copy starts copies of it', async () => {
  const directory = await temporaryDirectory();
  const images = join(directory, 'template');
  const url = `http://127.0.0.1:${TEMPLATE_PORT}/`;
  const flags = ['-D', images, '--ready', url, '--warm-up', url, '--requests', '2'];
  const log = join(directory, 'start.log');
  expect(await nodeCriu(['warm', ...flags, '--stdout', log, '--', ...program])).toEqual({
    ...{ exitCode: 0, stdout: images },
    stderr: expect.stringMatching(/^warning NO_GUEST: process 2 .*node-criu\/guest.* Load .*\.$/),
  });
  expect(await readFile(log, 'utf8')).toBe('ready to serve\n');

  const copy = await startNodeCriu(['copy', images, '--publish', String(TEMPLATE_PORT)]);
  const place = () => /is at 127\.0\.0\.1:(\d+), which leads/.exec(copy.stderr())?.[1];
  await waitFor(() => place() !== undefined, 'the copy is published');
  expect(await ask(Number(place()))).toMatchObject({ requests: 4, pid: 2 });
  process.kill(copy.pid, 'SIGTERM');
  expect(await copy.ended).toMatchObject({ exitCode: 3, stdout: 'goodbye' });

  const out = join(directory, 'copy.log');
  const detached = await nodeCriu(['copy', images, '--detach', '--stdout', out, '--json']);
  const { pid } = JSON.parse(detached.stdout);
  killAfterTest(pid);
  expect(await ask(TEMPLATE_PORT)).toMatchObject({ requests: 4 });
  expect(await nodeCriu(['copy', images])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('ERR_CRIU_ADDRESS_IN_USE'),
  });
  process.kill(pid, 'SIGTERM');
  await waitFor(async () => !(await isAlive(pid)), 'the detached copy has ended');
  expect(await readFile(out, 'utf8')).toBe('goodbye\n');
});

test('warm encrypts a template, and a detached copy of it has all of its memory', async () => {
  const directory = await temporaryDirectory();
  const images = join(directory, 'template');
  const secret = ['--passphrase-file', join(directory, 'passphrase')];
  await writeFile(join(directory, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
  const ready = ['--ready-port', String(TEMPLATE_PORT)];
  await nodeCriu(['warm', '-D', images, ...secret, ...ready, '--', ...program]);
  expect(await nodeCriu(['copy', images, '--detach'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is encrypted: give --key-file or --passphrase-file'),
  });
  const detached = await nodeCriu(['copy', images, ...secret, '--detach']);
  const pid = Number(detached.stdout);
  killAfterTest(pid);
  expect(await ask(TEMPLATE_PORT)).toMatchObject({ requests: 1 });
});

test('warm reports what the program has open', async () => {
  const directory = await temporaryDirectory();
  const app = await listeningGuest(18_097);
  const warm = async (...more: string[]) => {
    const images = ['-D', join(directory, 'template'), '--overwrite', '--report-handles'];
    const run = [process.execPath, ...nodeOptions(), app];
    return await nodeCriu(['warm', ...images, ...more, '--', ...run]);
  };
  const { stdout } = await warm('--json');
  const [handle, result] = events(stdout);
  expect(handle).toMatchObject({ event: 'handle', kind: 'listener', stack: expect.any(String) });
  expect(result).toMatchObject({ event: 'result', hasGuest: true });
  const { stderr } = await warm();
  expect(stderr).toMatch(
    /^open at the checkpoint: listener TCP 127\.0\.0\.1:18097\n.* at .*app\.mjs/s,
  );
});

test('wrong usage of warm and copy is refused', async () => {
  const directory = await temporaryDirectory();
  for (const [args, said] of [
    [['warm', '--', 'true'], "required option '-D, --images-directory <dir>'"],
    [['warm', '-D', 'x', '--ready', 'ftp://x/', '--', 'true'], 'takes an http: URL'],
    [['warm', '-D', 'x', '--ready-line', 'a', '--ready-port', '80', '--', 'true'], 'one of'],
    [['copy', directory, '--publish', 'http'], 'Give a port'],
    [['copy', directory, '--key-file', 'a', '--passphrase-file', 'b'], 'give only one of'],
    [['warm', '-D', 'x', '--key-file', 'a', '--passphrase-file', 'b', 'true'], 'give only one of'],
    [['copy', directory, '--publish', '80', '--detach'], 'leave out --detach'],
  ] as const) {
    const { exitCode, stderr } = await nodeCriu(args, directory);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(said) });
  }
  expect(await nodeCriu(['copy', directory])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('holds no template: there is no template.json'),
  });
});
