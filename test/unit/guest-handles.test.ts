import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { GuestHandle } from '../../src/guest/protocol.ts';
import { buildLibrary } from '../helpers/built.ts';
import { guestImport, startGuestWithHost } from '../helpers/guest.ts';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

beforeAll(buildLibrary);

const request = { timeoutMs: 20_000, reportHandles: true };

/** A program with a handle of each kind. */
const script = `${guestImport}
  import { spawn } from 'node:child_process';
  import { open, openSync, watch } from 'node:fs';
  import { connect, createServer } from 'node:net';
  import { createSocket } from 'node:dgram';
  import { Worker } from 'node:worker_threads';
  const directory = process.argv[2];
  function listenHere(address) {
    return new Promise((resolve) => {
      const server = createServer().listen(address, () => resolve(server));
    });
  }
  const server = await listenHere({ port: 0, host: '127.0.0.1' });
  await listenHere({ path: directory + '/socket' });
  const { port } = server.address();
  await new Promise((resolve) => { connect(port, '127.0.0.1', resolve); });
  await new Promise((resolve) => { createSocket('udp4').bind(0, '127.0.0.1', resolve); });
  (function openHere() { openSync(directory + '/file', 'a'); })();
  await new Promise((resolve) => { open(directory + '/other', 'a', resolve); });
  watch(directory);
  spawn('sleep', ['1000']);
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  await new Promise((resolve) => worker.once('online', resolve));
  process.on('exit', () => {});
  console.log('port ' + port + ';');`;

/** Without pipes, which a program may inherit from those who run the tests. */
const others = (handles: readonly GuestHandle[] = []) =>
  handles.filter(({ kind }) => kind !== 'pipe');

describe.each(nodeMajors)('Node %i', (major) => {
  test('what the program has open is reported, with the stacks if they were recorded', async () => {
    const directory = await temporaryDirectory();
    const { channel, output } = await startGuestWithHost(script, {
      ...{ node: nodePath(major), args: [directory], env: { NODE_CRIU_GUEST_STACKS: '1' } },
    });
    await output.has(';');
    const port = /port (\d+)/.exec(output.text)?.[1];
    const { handles = [] } = await channel.checkpoint(request);
    const find = (detail: string | RegExp) =>
      handles.find((each) =>
        typeof detail === 'string' ? each.detail === detail : detail.test(each.detail),
      );
    expect(find(`TCP 127.0.0.1:${port}`)).toMatchObject({
      ...{ kind: 'listener', stack: expect.stringMatching(/listenHere.*app\.mjs:10/) },
    });
    expect(find(new RegExp(` to 127.0.0.1:${port}$`))).toMatchObject({
      ...{ kind: 'connection', stack: expect.stringContaining('app.mjs:17') },
    });
    expect(find(`the unix socket ${directory}/socket`)).toMatchObject({ kind: 'listener' });
    expect(find(/^UDP 127.0.0.1:\d+$/)).toMatchObject({ kind: 'datagrams' });
    const file = find(join(directory, 'file'));
    expect(file).toMatchObject({ kind: 'file', stack: expect.stringMatching(/^ +at openHere/) });
    expect(find(join(directory, 'other'))?.stack).toContain('app.mjs:20');
    expect(find('watched files')).toMatchObject({ kind: 'watch' });
    expect(find(/^worker thread \d does not load/)).toMatchObject({ kind: 'worker' });
    // The three streams of the child.
    expect(handles.filter(({ detail }) => detail === 'a unix socket')).toHaveLength(3);
    expect(others(handles)).toHaveLength(12);
  });
});

test('a program that has nothing open has nothing to report', async () => {
  const [plain, recorded] = await Promise.all(
    [{}, { NODE_CRIU_GUEST_STACKS: '1' }].map(async (env) => {
      const { channel } = await startGuestWithHost(
        `${guestImport} setInterval(() => {}, 1000); await import('node:worker_threads');`,
        { env },
      );
      return await channel.checkpoint(request);
    }),
  );
  expect(others(plain?.handles)).toEqual([]);
  expect(others(recorded?.handles)).toEqual([]);
});

test('a report that is too long is shortened', async () => {
  const directory = await temporaryDirectory();
  const { channel } = await startGuestWithHost(
    `${guestImport}
    import { openSync } from 'node:fs';
    const deep = (n) => n > 0 ? deep(n - 1) : openSync('${directory}/' + 'x'.repeat(200), 'a');
    for (let i = 0; i < 900; i++) deep(30);
    setInterval(() => {}, 1000);`,
    { env: { NODE_CRIU_GUEST_STACKS: '1' } },
  );
  const { handles } = await channel.checkpoint(request);
  expect(handles).toHaveLength(100);
});
