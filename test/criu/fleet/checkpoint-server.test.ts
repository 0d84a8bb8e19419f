import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { headerOf } from '../../../src/fleet/agent/checkpoints/checkpoint-files.ts';
import { CheckpointServer } from '../../../src/fleet/agent/checkpoints/checkpoint-server.ts';
import { ReceivedCheckpoints } from '../../../src/fleet/agent/checkpoints/received-checkpoints.ts';
import { sendCheckpoint } from '../../../src/fleet/agent/checkpoints/send-checkpoint.ts';
import { CheckpointStore } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { failureOf } from '../../helpers/failures.ts';
import { client, startCounter, temporaryDirectory } from '../../helpers/workload.ts';
import { certificates } from '../../lab/certificates.mjs';

beforeAll(buildLibrary);

const ID = 'web.20261129T194512345Z-9f3a02';

async function scene() {
  const criu = client();
  const directory = await temporaryDirectory();
  const hosts = ['a', 'b', 'c'].map((name) => ({ name, address: '127.0.0.1' }));
  const tls = certificates(directory, hosts as never) as unknown as Readonly<
    Record<string, { readonly ca: string; readonly cert: string; readonly key: string }>
  >;
  const path = join(directory, 'received');
  const received = new ReceivedCheckpoints(path, {
    ...{ name: 'b', storeOf: (host: string) => new CheckpointStore(join(path, host), { criu }) },
    changed: () => {},
  });
  await received.prepare();
  const listen = { host: '127.0.0.1', port: 0 };
  const options = { listen, tls: tls.b, insecure: undefined };
  const server = await CheckpointServer.listen(options, received);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { port } = server;
  const signal = new AbortController().signal;
  const files = async (name: string) => ({
    ca: await readFile(tls[name]?.ca ?? ''),
    cert: await readFile(tls[name]?.cert ?? ''),
    key: await readFile(tls[name]?.key ?? ''),
  });
  return {
    ...{ directory, path, port, files, criu },
    send: (id: string, from: string, host = 'a') =>
      sendCheckpoint(
        ...([
          id,
          from,
          { name: 'b', host: '127.0.0.1', port },
          { name: host, tls: tls[host], signal },
        ] as const),
      ),
    /** Puts any bytes; resolves with the answer. */
    async put(url: string, body: Buffer, more: { host?: string; length?: number } = {}) {
      const { host = 'a', length = body.length } = more;
      const given = { ...(await files(host)), host: '127.0.0.1', port, agent: false as const };
      const headers = { 'content-length': length, connection: 'keep-alive' };
      const sent = request({
        ...given,
        method: 'PUT',
        path: url,
        headers,
        checkServerIdentity: () => undefined,
      });
      sent.on('error', () => {});
      sent.end(body);
      const [response] = await once(sent, 'response');
      let text = '';
      for await (const chunk of response) text += chunk;
      sent.destroy();
      return `${response.statusCode} ${text}`;
    },
  };
}

const file = (name: string, content = 'x') =>
  Buffer.concat([headerOf({ name, size: content.length }), Buffer.from(content)]);

test('a checkpoint is received whole and verified, under the name of the certificate', async () => {
  const { directory, path, send, criu } = await scene();
  const { pid } = await startCounter();
  const store = new CheckpointStore(join(directory, 'own'), { criu });
  onTestFinished(() => store[Symbol.asyncDispose]());
  const made = await store.checkpoint(pid, { name: 'web', leaveRunning: true, shellJob: true });
  expect(await failureOf(send(made.id, made.directory))).toMatchObject({
    message: expect.stringMatching(/does not say what the workload is/),
  });
  const note = (name: string) =>
    JSON.stringify({ spec: { name, command: ['true'] }, kind: 'process', generation: 0 });
  await writeFile(join(made.directory, 'fleet.json'), note('other'));
  expect(await failureOf(send(made.id, made.directory))).toMatchObject({
    message: expect.stringMatching(/is not a checkpoint of other/),
  });
  await writeFile(join(made.directory, 'fleet.json'), note('web'));
  await send(made.id, made.directory);
  // Once more changes nothing.
  await send(made.id, made.directory);
  expect(await readdir(path)).toEqual(['a']);
  expect(await readdir(join(path, 'a'))).toEqual([made.id]);
  await writeFile(join(made.directory, 'inventory.img'), 'damaged');
  const other = made.id.replace(/......$/, '000000');
  expect(await failureOf(send(other, made.directory))).toMatchObject({
    message: expect.stringMatching(/inventory.img is damaged/),
  });
  expect(await failureOf(send(made.id, made.directory, 'b'))).toMatchObject({
    message: expect.stringMatching(/comes from this host/),
  });
  expect(await readdir(path)).toEqual(['a']);
  expect(await readdir(join(path, 'a'))).toEqual([made.id]);
});

test('nothing is written outside, too much is refused, and strangers are not heard', async () => {
  const { directory, path, port, put, files } = await scene();
  const url = `/checkpoints/${ID}`;
  for (const name of [
    '../x.img',
    '/etc/x.img',
    '..',
    '.',
    'a/b.img',
    'x.sh',
    '.img',
    'parent',
    'x.img\0',
  ]) {
    expect(await put(url, file(name))).toMatch(/^400 a file name is not one of a checkpoint/);
  }
  expect(await put(url, Buffer.concat([file('a.img'), file('a.img')]))).toMatch(/comes twice/);
  expect(await put(url, Buffer.from('x'.repeat(1000)))).toMatch(/header of a file is too long/);
  // The reason arrives while the sender still sends.
  const long = Buffer.concat([file('a.img'), Buffer.alloc(64 << 20, 'x')]);
  expect(await put(url, long)).toMatch(/header of a file is too long/);
  expect(await put(url, Buffer.from('-1 a.img\n'))).toMatch(/not "SIZE NAME"/);
  expect(await put(url, Buffer.from('9 a.img\nx'))).toMatch(/the last file is incomplete/);
  expect(await put(url, file('a.img'))).toMatch(/^422 it does not say/);
  expect(await put(url, Buffer.alloc(1), { length: 2 ** 52 })).toMatch(/^507/);
  for (const path of [
    '/',
    '/checkpoints/',
    '/checkpoints/..',
    `/checkpoints/../${ID}`,
    '/checkpoints/web',
  ]) {
    expect(await put(path, file('a.img'))).toMatch(/^404/);
  }
  // A link in the place of a directory of another host leads nowhere else.
  const elsewhere = join(directory, 'elsewhere');
  await mkdir(elsewhere);
  await mkdir(join(path, 'c'), { mode: 0o700 });
  await symlink(elsewhere, join(path, 'c', `.incoming-${ID}`));
  expect(await put(url, file('a.img'), { host: 'c' })).toMatch(/^400/);
  expect(await readdir(elsewhere)).toEqual([]);
  expect(await readdir(join(path, 'a'))).toEqual([]);
  const { ca } = await files('a');
  const stranger = connect({ host: '127.0.0.1', port, ca, checkServerIdentity: () => undefined });
  stranger.on('error', () => {});
  stranger.write(`PUT ${url} HTTP/1.1\r\nhost: b\r\ncontent-length: 0\r\n\r\n`);
  let answer = '';
  stranger.on('data', (data) => {
    answer += data;
  });
  await new Promise((resolve) => stranger.once('close', resolve));
  expect(answer).toBe('');
});
