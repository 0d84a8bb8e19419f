import { createPrivateKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import type { Action, Order } from '../../../src/fleet/orders/order.ts';
import { signOrder } from '../../../src/fleet/orders/sign.ts';
import { Fleet } from '../../../src/fleet.ts';
import { Criu, type IncomingMigration, type ServeMigrationsOptions } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { fleetRedis } from '../../helpers/fleet-redis.ts';
import { type LocalFleet, localFleet, operatorKeys } from '../../helpers/fleets.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const HOUR = 3_600_000;

/** Puts an order into the queue of a host, as somebody who can write to Redis can; resolves with why it has failed. */
async function forge(
  { redis, keys }: LocalFleet,
  action: object,
  { key = keys.privateKey, ...changes }: Partial<Order> & { readonly key?: string } = {},
): Promise<string | undefined> {
  const now = Date.now();
  const order = {
    ...{ version: 1, fleet: 'test', id: randomUUID(), operation: randomUUID(), operator: 'ada' },
    ...{ host: 'a', issuedAt: now, expiresAt: now + HOUR, action: action as Action, ...changes },
  } as Order;
  return await send(redis, { order: signOrder(order, createPrivateKey(key)) });
}

async function send(redis: LocalFleet['redis'], data: object): Promise<string | undefined> {
  const queue = new Queue('orders-a', { connection: redis.client, prefix: 'node-criu:test' });
  onTestFinished(() => queue.close());
  const id = randomUUID();
  await queue.add('order', data, { jobId: id });
  await waitFor(async () => (await queue.getJob(id))?.finishedOn !== undefined, 'the job ends');
  return (await queue.getJob(id))?.failedReason;
}

const stateOfA = async ({ fleet }: LocalFleet) => (await fleet.hosts())[0]?.state;

test('an agent obeys only orders that its operators have signed, for it, for its fleet and in time', async () => {
  const local = await localFleet();
  const { keys } = local;
  await local.join({
    name: 'a',
    operators: [
      { name: 'ada', publicKey: keys.publicKey },
      { name: 'ben', publicKey: keys.publicKey, may: ['cancel'] },
    ],
  });
  const cordon = { kind: 'cordon' };
  const now = Date.now();
  const refused: [Parameters<typeof forge>[2], string][] = [
    [{ key: operatorKeys().privateKey }, 'the order is not signed by the key of ada'],
    [{ operator: 'eve' }, 'this host knows no operator eve'],
    [{ operator: 'ben' }, 'ben may not order cordon'],
    [{ host: 'b' }, 'the order is for b, not a'],
    [{ fleet: 'other' }, 'the order is for the fleet other, not test'],
    [{ issuedAt: now + HOUR }, ' s in the future: the clock of ada, or of this host, is wrong'],
    [{ issuedAt: now - 9 * HOUR, expiresAt: now - 2 * HOUR }, ' s ago: order it again'],
    [{ version: 2 as 1 }, 'of a version that this host lacks'],
    [{ id: '../../etc/passwd' }, 'the order is incomplete'],
    [{ issuedAt: 'now' as never }, 'the order is incomplete'],
  ];
  for (const [changes, reason] of refused) {
    const said = await forge(local, cordon, changes);
    expect(said).toMatch(/^ERR_CRIU_FLEET_REFUSED /);
    expect(said).toContain(reason);
  }
  expect(await forge(local, { kind: 'reboot' })).toContain('does not know the order reboot');
  expect(await send(local.redis, {})).toContain('the job has no signed order');
  expect(await send(local.redis, { order: { body: '{', signature: '' } })).toContain('not JSON');
  expect(await stateOfA(local)).toBe('ready');
  expect(await forge(local, cordon)).toBeUndefined();
  expect(await stateOfA(local)).toBe('cordoned');
});

test('an order that is sent again is not carried out again, also by the next agent', async () => {
  const local = await localFleet();
  const directory = await temporaryDirectory();
  const first = await local.join({ name: 'a', directory });
  const now = Date.now();
  const order: Order = {
    ...{ version: 1, fleet: 'test', id: randomUUID(), operation: randomUUID(), operator: 'ada' },
    ...{ host: 'a', issuedAt: now, expiresAt: now + HOUR, action: { kind: 'cordon' } },
  };
  const signed = signOrder(order, createPrivateKey(local.keys.privateKey));
  expect(await send(local.redis, { order: signed })).toBeUndefined();
  await local.fleet.uncordon('a');
  expect(await send(local.redis, { order: signed })).toBeUndefined();
  expect(await stateOfA(local)).toBe('ready');
  await first.close();
  await local.join({ name: 'a', directory });
  expect(await send(local.redis, { order: signed })).toBeUndefined();
  expect(await stateOfA(local)).toBe('ready');
});

test('a program that an agent may have started before it died is not started again', async () => {
  const local = await localFleet();
  const directory = await temporaryDirectory();
  const id = randomUUID();
  const orders = join(directory, 'fleet/orders');
  await mkdir(orders, { recursive: true, mode: 0o700 });
  const begun = { state: 'begun', forgetAt: Date.now() + HOUR };
  await writeFile(join(orders, `${id}.json`), JSON.stringify(begun));
  await local.join({ name: 'a', directory });
  const run = { kind: 'run', workload: { name: 'once', command: ['sleep', '600'] } };
  expect(await forge(local, run, { id })).toContain('an earlier agent has ended while it started');
  expect(await local.fleet.workloads()).toEqual([]);
});

test('without an operator nothing can be ordered, and what an operator may not do is refused', async () => {
  const local = await localFleet();
  await local.join({
    name: 'a',
    operators: [{ name: 'ada', publicKey: local.keys.publicKey, may: ['cordon'] }],
  });
  const viewer = await Fleet.connect({ redis: local.redis.options, name: 'test' });
  onTestFinished(() => viewer.close());
  expect(await failureOf(viewer.cordon('a'))).toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'operator',
  });
  expect(await failureOf(local.fleet.drain('a'))).toMatchObject({
    code: 'ERR_CRIU_FLEET_REFUSED',
    message: 'ada may not order drain',
  });
  await local.fleet.cordon('a');
  expect(await stateOfA(local)).toBe('cordoned');
});

test('changes are told, and the queues of all hosts are there', async () => {
  const local = await localFleet();
  await local.join({ name: 'a' });
  const { fleet } = local;
  expect((await fleet.view()).hosts.map(({ name }) => name)).toEqual(['a']);
  expect(fleet.queues().map(({ name }) => name)).toEqual(['operations', 'orders-a', 'moves-a']);
  const ended = new AbortController();
  const changes = fleet.changes(ended.signal);
  const first = changes.next();
  // The subscription may come later than the first change.
  let count = 0;
  const told = first.then(({ value }) => value);
  while ((await Promise.race([told, sleep(100)])) === undefined) {
    await (await fleet.run({ name: `sleeper-${++count}`, command: ['sleep', '600'] })).result();
  }
  expect(await told).toBe('a');
  ended.abort();
  // What had come by then is told first; the iteration ends.
  for await (const host of changes) expect(host).toBe('a');
});

test('a name has one agent, and so has a directory; the next agent in a directory goes on', async () => {
  const local = await localFleet();
  const directory = await temporaryDirectory();
  const first = await local.join({ name: 'a', directory });
  await local.fleet.cordon('a');
  expect(await failureOf(local.join({ name: 'a' }))).toMatchObject({
    code: 'ERR_CRIU_FLEET',
    message: expect.stringContaining('another agent is a'),
  });
  expect(await failureOf(local.join({ name: 'b', directory }))).toMatchObject({
    code: 'ERR_CRIU_FLEET',
    message: expect.stringContaining(`another agent uses the directory ${directory}`),
  });
  await first.close();
  expect(await local.fleet.hosts()).toMatchObject([{ name: 'a', isAlive: false }]);
  await local.join({ name: 'a', directory });
  expect(await local.fleet.hosts()).toMatchObject([
    { name: 'a', isAlive: true, state: 'cordoned' },
  ]);
});

test('Redis may crash or be emptied: the hosts say again what they have', async () => {
  const local = await localFleet();
  await local.join({ name: 'a', labels: { zone: 'east' } });
  await (await local.fleet.run({ name: 'sleeper', command: ['sleep', '600'] })).result();
  await local.fleet.cordon('a');
  const before = await local.fleet.view();
  await local.redis.client.flushall();
  const isBack = async () => {
    const { hosts, workloads } = await local.fleet.view();
    return workloads.length === 1 && hosts[0]?.isAlive === true;
  };
  await waitFor(isBack, 'the fleet is back');
  const known = ({ workloads, hosts }: typeof before) => ({
    hosts: hosts.map(({ name, state, labels, isAlive }) => ({ name, state, labels, isAlive })),
    workloads: workloads.map(({ name, host, pid, state }) => ({ name, host, pid, state })),
  });
  expect(known(await local.fleet.view())).toEqual(known(before));
  await local.redis.restart();
  await local.fleet.uncordon('a');
  expect(await stateOfA(local)).toBe('ready');
});

test('an agent leaves while Redis is away, and its directory is free for the next one', async () => {
  const local = await localFleet();
  const directory = await temporaryDirectory();
  const member = await local.join({ name: 'a', directory });
  await local.redis.crash();
  await waitFor(() => local.warnings.length > 0, 'the agent misses Redis');
  await member.close();
  const next = await localFleet();
  await next.join({ name: 'a', directory });
});

test('a Redis that is full, that removes keys, that is missing or that is no Redis is named as the cause', async () => {
  const full = await localFleet(await fleetRedis('--maxmemory', '2mb'));
  await full.join({ name: 'a' });
  const { client } = full.redis;
  let keys = 0;
  const fill = async () => {
    for (;;) await client.set(`fill-${keys++}`, 'x'.repeat(4096));
  };
  await expect(fill()).rejects.toThrow('OOM');
  expect(await failureOf(full.fleet.cordon('a'))).toMatchObject({
    code: 'ERR_CRIU_FLEET',
    message: expect.stringContaining('Redis is full'),
  });
  const isWarned = async () => {
    // Redis has room again for a moment when it frees the buffers of connections.
    await expect(fill()).rejects.toThrow('OOM');
    return full.warnings.some((text) => /Redis is full/.test(text));
  };
  await waitFor(isWarned, 'a warning');
  const causes: [object, string][] = [
    [{ path: '/nowhere/redis.sock' }, 'Redis at /nowhere/redis.sock cannot be asked: '],
    [{ host: '127.0.0.1', port: 1 }, 'Redis at 127.0.0.1:1 cannot be asked: '],
    [await evicting(), 'set maxmemory-policy noeviction'],
    [await locked(), 'does not accept the password'],
    [await scripted('$23\r\nredis_version:5.0.14\r\nx\r\n'), 'Redis 5.0.14 is too old'],
    [await scripted('HTTP/1.1 400 Bad Request\r\n\r\n'), 'cannot be asked: '],
  ];
  for (const [redis, message] of causes) {
    expect(await failureOf(Fleet.connect({ redis }))).toMatchObject({
      code: 'ERR_CRIU_FLEET',
      message: expect.stringContaining(message),
    });
  }
});

async function evicting(): Promise<object> {
  const { options } = await fleetRedis('--maxmemory', '8mb', '--maxmemory-policy', 'allkeys-lru');
  return options;
}

async function locked(): Promise<object> {
  const { options, client } = await fleetRedis();
  await client.config('SET', 'requirepass', 'secret');
  return options;
}

/** A server that gives one answer to every command: no Redis as old as that can be had. */
async function scripted(answer: string): Promise<object> {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (data) => {
        const commands = String(data).match(/\*\d+\r\n/g) ?? [];
        socket.write(answer.repeat(commands.length));
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port };
}

test('an agent that hangs does not keep the end of an operation from the others', async () => {
  const { fleet, join, redis } = await localFleet();
  // Redis tells of a new job whoever has waited longest, here somebody who never takes it.
  const hanging = redis.client.duplicate();
  onTestFinished(() => hanging.disconnect());
  const told = hanging.bzpopmin('node-criu:test:operations:marker', 0);
  await join({ name: 'a' });
  const operation = await fleet.run({ name: 'one', command: ['sleep', '1000'] }, { on: 'a' });
  const ended = operation.result().then(() => 'ended');
  // Far less than the time after which agents ask Redis by themselves.
  expect(await Promise.race([ended, sleep(20_000)])).toBe('ended');
  expect(await told).not.toBeNull();
});

test('an agent that finds ended migrations when it starts is announced only once it can be reached', async () => {
  const { fleet, join } = await localFleet();
  const announced: unknown[] = [];
  class Recovering extends Criu {
    override async serveMigrations(options: ServeMigrationsOptions) {
      const ended = { id: randomUUID(), state: 'aborted', offer: {} } as unknown;
      await options.hooks?.afterMigration?.(ended as IncomingMigration);
      await sleep(500);
      announced.push(...(await fleet.hosts()));
      return await super.serveMigrations(options);
    }
  }
  await join({ name: 'a', criu: new Recovering({ path: criuPath() }) });
  expect(announced).toEqual([]);
  expect(await fleet.hosts()).toMatchObject([{ name: 'a', endpoint: { host: '127.0.0.1' } }]);
});
