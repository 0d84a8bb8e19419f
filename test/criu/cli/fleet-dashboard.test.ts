import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildCommand, events, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';
import { LabRedis } from '../../lab/fleet.mjs';

beforeAll(buildCommand);

async function startRedis(): Promise<LabRedis> {
  const redis = new LabRedis(await temporaryDirectory());
  await redis.start();
  onTestFinished(() => redis.stop());
  return redis;
}

/** The connections to a Redis, but not that of who asks. */
async function connectionsTo({ path }: LabRedis): Promise<number> {
  const { stdout } = await execa('redis-cli', ['-s', path, 'client', 'list']);
  return stdout.trim().split('\n').length - 1;
}

test('the dashboard is served on loopback, to those who have the token, until SIGTERM', async () => {
  const redis = await startRedis();
  const token = 'a-token-from-a-file-0123456789-0123456789';
  const file = join(await temporaryDirectory(), 'token');
  await writeFile(file, `${token}\n`);
  const flags = ['fleet', 'dashboard', '--redis', redis.path];
  const [own, given] = await Promise.all([
    startNodeCriu([...flags, '--fleet', 'lab', '--interval', '100ms']),
    startNodeCriu([...flags, '--token-file', file, '--json']),
  ]);
  await waitFor(() => own.stdout().endsWith('\n') && given.stdout().endsWith('\n'), 'both listen');

  const [, origin, ownToken] =
    /^(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]{43})\n$/.exec(own.stdout()) ?? [];
  const get = (path: string, bearer?: string) =>
    fetch(`${origin}${path}`, {
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
    });
  expect(await (await get('/')).text()).toContain('<html');
  expect((await get('/session')).status).toBe(401);
  expect((await get('/session', token)).status).toBe(401);
  expect(await (await get('/session', ownToken)).json()).toMatchObject({
    ...{ name: 'lab', hasQueues: true, plans: ['drain', 'move', 'rebalance'] },
  });
  expect(await (await get('/metrics', ownToken)).text()).toContain(
    '\nnode_criu_fleet_hosts_alive 0\n',
  );
  const reader = await get('/events', ownToken);
  const read = reader.text().catch(() => 'cut off');

  // The file has the token, so it is not printed; a program gets it there.
  const [listening] = events(given.stdout());
  const { port } = listening as { port: number };
  const url = `http://127.0.0.1:${port}/`;
  expect(listening).toEqual({ event: 'listening', host: '127.0.0.1', port, url });
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${url}session`, { headers })).status).toBe(200);

  process.kill(own.pid, 'SIGTERM');
  process.kill(given.pid, 'SIGINT');
  expect(await own.ended).toMatchObject({
    ...{ exitCode: 0, stdout: own.stdout().trim() },
    stderr: 'node-criu: closing the dashboard',
  });
  expect(await given.ended).toMatchObject({ exitCode: 0 });
  expect(events(given.stdout()).at(-1)).toEqual({ event: 'result' });
  expect(await read).toBeDefined();
  await expect(get('/')).rejects.toThrow('fetch failed');
  await waitFor(async () => (await connectionsTo(redis)) === 0, 'no connection is left');
});

test('wrong usage of the dashboard is a clear error', async () => {
  const redis = await startRedis();
  const cases: readonly (readonly [args: readonly string[], exitCode: number, said: string])[] = [
    [['--listen', '192.0.2.1:0'], 2, '--listen 192.0.2.1 needs --cert and --key, because others'],
    [['--cert', 'host.pem'], 2, 'give both --cert and --key'],
    [['--token-file', '/etc/hostname'], 2, '/etc/hostname has no token of at least 32'],
    [['--listen', '192.0.2.1:0', '--insecure'], 1, 'cannot listen at 192.0.2.1'],
  ];
  const checks = cases.map(async ([args, exitCode, said]) => {
    const ended = await nodeCriu(['fleet', 'dashboard', '--redis', redis.path, ...args]);
    expect({ args, ...ended }).toEqual({
      ...{ args, exitCode, stdout: '', stderr: expect.stringContaining(said) },
    });
  });
  await Promise.all(checks);
});
