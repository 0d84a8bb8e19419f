import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { type MixedFleet, mixedFleet } from '../../helpers/fleet-mix.ts';
import { type Random, seeded } from '../../helpers/random.ts';
import { isSoak, sample, testSeed } from '../../helpers/sample.ts';
import { waitFor } from '../../helpers/workload.ts';
import { FleetAgent } from '../../lab/fleet.mjs';

beforeAll(buildLibrary);

/** When something dies after an operation is ordered, and how long it is away, in milliseconds at most. */
const DEATH_MS = 4000;
const AWAY_MS = 2000;
const FULL_MS = 30 * 60_000;
const FEW = 1;

/** Has an operator in a program of its own give an order, who dies at a random moment. */
async function orderAndDie({ lab, connection }: MixedFleet, order: Order, ms: number) {
  const operator = await new FleetAgent(lab.a).started;
  operator.ask('order', { ...connection, ...order }).catch(() => {});
  await sleep(ms);
  await operator.kill();
}

interface Order {
  readonly method: 'move' | 'drain';
  readonly target: string;
}

/** Orders something, and kills something meanwhile. */
async function round(scene: MixedFleet, random: Random): Promise<string> {
  const { fleet, lab, agents, redis, startAgent } = scene;
  const names = scene.workloads.map(({ name }) => name);
  const hosts = lab.hosts.map(({ name }) => name);
  const pick = <T>(choices: readonly T[]) => choices[random(choices.length)] as T;
  const method = pick(['move', 'drain'] as const);
  const order = { method, target: pick<string>(method === 'move' ? names : hosts) };
  const victim = pick<'redis' | 'operator' | number>(['redis', 'operator', 0, 1, 2, 3]);
  const ms = random(DEATH_MS);
  const away = random(AWAY_MS);
  const text = `${method} ${order.target}, ${victim} dies after ${ms} ms for ${away} ms`;
  if (victim === 'operator') await orderAndDie(scene, order, ms);
  else {
    await fleet[method](order.target);
    await sleep(ms);
    if (victim === 'redis') {
      await redis.stop('SIGKILL');
      await sleep(away);
      await redis.start();
    } else {
      await agents[victim]?.kill();
      await sleep(away);
      await startAgent(victim);
    }
  }
  return text;
}

/** Waits until nothing is under way any more, and each workload is on one host. */
async function settle({ fleet, workloads }: MixedFleet, after: string) {
  const isQuiet = async () => {
    const { hosts, workloads: all } = await fleet.view();
    const operations = await fleet.operations();
    return (
      hosts.every(({ isAlive }) => isAlive) &&
      all.every(({ state }) => state === 'running') &&
      operations.every(({ endedAt }) => endedAt !== undefined)
    );
  };
  await waitFor(isQuiet, `all is quiet after ${after}`);
  const expected = workloads.map(({ name }) => name).sort();
  expect((await fleet.workloads()).map(({ name }) => name).sort(), after).toEqual(expected);
  for (const { name, state } of await fleet.hosts())
    if (state !== 'ready') await fleet.undrain(name);
}

test(
  'agents, operators and Redis die at random while workloads move, and each runs once in the end',
  async () => {
    const isFull = sample('minutes of random deaths', FULL_MS / 60_000, FEW) > FEW;
    const scene = await mixedFleet({
      node: isFull ? 6 : 1,
      redis: isFull ? 2 : 1,
      nginx: isFull ? 2 : 0,
    });
    const random = seeded(testSeed(18));
    const until = Date.now() + FULL_MS;
    for (let each = 0; isFull ? Date.now() < until : each < FEW; each++) {
      const what = await round(scene, random);
      await settle(scene, `round ${each}: ${what}`);
    }
    const where = new Map((await scene.fleet.workloads()).map(({ name, host }) => [name, host]));
    for (const workload of scene.workloads) await workload.check(where.get(workload.name) ?? '');
  },
  isSoak ? FULL_MS * 2 : undefined,
);
