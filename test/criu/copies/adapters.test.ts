import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { TemplateCopy } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { startCopy } from '../../helpers/copies.ts';
import { nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import { root } from '../../helpers/pages.ts';
import { postgres, redis } from '../../helpers/servers.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildLibrary);

const NAMES = ['one', 'two'] as const;

/** Starts two copies of a program of examples/copies side by side; resolves with the first line of each. */
async function firstLines(
  example: string,
  env: Record<string, string>,
  envOf: (index: number) => Record<string, string> = () => ({}),
): Promise<string[]> {
  const file = join(root, 'examples/copies', example);
  const template = await client().template(nodePath(24), [...nodeOptions(24), file], {
    imagesDirectory: join(await temporaryDirectory(), 'images'),
    env: { ...process.env, ...env },
  });
  const start = async (name: string, index: number) => {
    const options = { name, env: { NAME: name, ...envOf(index) }, stdout: 'pipe' } as const;
    return await firstLine(await startCopy(template, options));
  };
  return await Promise.all(NAMES.map(start));
}

async function firstLine({ stdout }: TemplateCopy): Promise<string> {
  if (!stdout) throw new Error('its output is not a pipe');
  for await (const line of createInterface(stdout)) return line;
  throw new Error('the copy has ended without a word');
}

async function textAt(port: number | string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return await response.text();
}

/** Two ports that are free. */
async function freePorts(): Promise<string[]> {
  const servers = NAMES.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String((server.address() as AddressInfo).port));
  for (const server of servers) server.close();
  return ports;
}

test.each(['http-server.js', 'express.js', 'fastify.js'])('%s', async (example) => {
  const lines = await firstLines(example, {});
  const ports = lines.map((line) => line.replace('listens on ', ''));
  expect(await Promise.all(ports.map(textAt))).toEqual(['I am one', 'I am two']);
});

test('cluster.js', async () => {
  const ports = await freePorts();
  const lines = await firstLines('cluster.js', {}, (index) => ({ PORT: ports[index] ?? '' }));
  expect(lines).toEqual(ports.map((port) => `listens on ${port}`));
  for (const [index, name] of NAMES.entries()) {
    const answers = [await textAt(ports[index] ?? ''), await textAt(ports[index] ?? '')];
    expect(answers.sort()).toEqual([`I am worker 1 of ${name}`, `I am worker 2 of ${name}`]);
  }
});

test('undici.js', async () => {
  const server = createServer((_request, response) => response.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const lines = await firstLines('undici.js', { SERVER: `http://127.0.0.1:${port}` });
  expect(lines).toEqual(['answered: hello', 'answered: hello']);
});

test('workers.js', async () => {
  const lines = await firstLines('workers.js', {});
  const drawn = lines.map((line) =>
    [...line.matchAll(/(\w+) ([\w-]{36})/g)].map(([, ...of]) => of),
  );
  expect(drawn.map((each) => each.map(([name]) => name))).toEqual([
    ['one', 'one'],
    ['two', 'two'],
  ]);
  expect(new Set(drawn.flat().map(([, uuid]) => uuid)).size).toBe(4);
});

test('pg.js', async () => {
  const { env, query } = await postgres('create table visits (name text)');
  const lines = await firstLines('pg.js', env);
  expect(lines).toEqual([expect.stringMatching(/^connection \d+$/), expect.any(String)]);
  expect(new Set(lines).size).toBe(2);
  const names = await query('select name from visits order by name');
  expect(names.split('\n')).toEqual(['one', 'the template', 'two']);
});

test('redis.js', async () => {
  const { socket } = await redis();
  const lines = await firstLines('redis.js', { REDIS_SOCKET: socket });
  expect(lines.map((line) => line.replace(/ on connection \d+$/, '')).sort()).toEqual([
    'visit 2',
    'visit 3',
  ]);
  expect(new Set(lines.map((line) => line.replace(/^.* /, ''))).size).toBe(2);
});
