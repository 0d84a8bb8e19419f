import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Fleet } from '../../../src/fleet.ts';
import {
  buildCommand,
  type Ended,
  events,
  main,
  nodeCriu,
  startNodeCriu,
} from '../../helpers/command.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';
import { LabRedis } from '../../lab/fleet.mjs';

type Verb = (...args: readonly string[]) => Promise<Ended>;
type OnFinished = (end: () => void | Promise<void>) => void;

/** The directory of all tests, the keys in it, and a fleet of host-a and host-b. */
let directory: string;
let operators: string;
let key: string;
let shared: Awaited<ReturnType<typeof startFleet>>;
const ends: (() => void | Promise<void>)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  operators = join(directory, 'operators');
  key = join(operators, 'ada.key');
  await Promise.all([mkdir(operators), buildCommand()]);
  expect(await nodeCriu(['fleet', 'keygen', 'ada', '-D', operators])).toMatchObject({
    ...{ exitCode: 0, stdout: `${key}\n${join(operators, 'ada.pub')}`, stderr: '' },
  });
  shared = await startFleet('5s', (end) => void ends.push(end));
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** A Redis, and two agents on loopback that take the orders of ada. */
async function startFleet(heartbeat: string, onFinished: OnFinished) {
  const home = await mkdtemp(join(directory, 'fleet-'));
  const redis = new LabRedis(home);
  await redis.start();
  onFinished(() => redis.stop());
  const connection = ['--redis', redis.path];
  const agents = await Promise.all(
    ['host-a', 'host-b'].map(async (name) => {
      const flags = ['--name', name, '--listen', '127.0.0.1:0', '--insecure'];
      const places = ['--directory', join(home, name), '--operators', operators];
      const label = ['--label', `zone=${name}`, '--allow-address', '127.0.0.0/8'];
      const agent = await startNodeCriu(
        [
          ...['fleet', 'agent', ...connection, ...flags, ...places, ...label],
          ...['--heartbeat', heartbeat],
        ],
        main,
        onFinished,
      );
      await waitFor(() => agent.stdout().includes('takes orders'), `${name} is ready`);
      return agent;
    }),
  );
  const fleet = await Fleet.connect({ redis: { path: redis.path } });
  onFinished(() => fleet.close());
  const look: Verb = (...args) => nodeCriu(['fleet', ...args, ...connection]);
  const identity = ['--operator', 'ada', '--key', key];
  const order: Verb = (verb = '', ...args) =>
    nodeCriu(['fleet', verb, ...connection, ...identity, ...args]);
  return { home, redis, agents, fleet, look, order };
}

async function endWorkloads(fleet: Fleet): Promise<void> {
  for (const { state, pid } of await fleet.workloads()) {
    if (state !== 'ended') process.kill(pid, 'SIGKILL');
  }
}

const program = ['--', 'sh', '-c', 'echo here; while sleep 0.1; do :; done'];

test('workloads are started and moved', async () => {
  const { look, order, fleet, home } = shared;
  expect((await look('hosts')).stdout).toMatch(
    /^NAME +STATE .*\nhost-a +ready +0 .* zone=host-a\nhost-b +ready +0 .* zone=host-b$/,
  );
  const log = join(home, 'sleeper.log');
  await writeFile(log, '');
  const flags = ['--on', 'host-a', '--label', 'app=web', '--output', log];
  expect(await order('run', 'web', ...flags, ...program)).toMatchObject({
    ...{ exitCode: 0, stdout: 'web runs on host-a' },
  });
  const detached = await order('run', 'cache', '--on', 'host-a', '--detach', ...program);
  const watched = await look('watch', detached.stdout);
  expect(watched).toMatchObject({ exitCode: 0, stdout: 'cache runs on host-a' });
  expect((await look('workloads')).stdout).toMatch(
    /^NAME .*\ncache +host-a +running .*\nweb +host-a +running +\d+ .* app=web$/,
  );
  const template = join(directory, 'template');
  await client().template('sh', ['-c', 'echo up; while sleep 1; do :; done'], {
    ...{ imagesDirectory: template, ready: { line: 'up' } },
  });
  expect(await order('run', 'copy', '--template', template)).toMatchObject({
    ...{ exitCode: 0, stdout: expect.stringMatching(/^copy runs on host-[ab]$/) },
  });

  const plan = await look('move', 'web', '--plan');
  expect(plan).toMatchObject({ exitCode: 0, stderr: '' });
  expect(plan.stdout).toMatch(/1 move, .*\n\n.*\n +1 +web +host-a +host-b /);
  const moved = await order('move', 'web', '--json');
  expect({ ...moved, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(events(moved.stdout).at(-1)).toMatchObject({
    event: 'result',
    operation: { state: 'done', steps: [{ workload: 'web', from: 'host-a', to: 'host-b' }] },
  });
  expect((await order('move', 'web', '--to', 'host-a')).stdout).toMatch(
    /^web moved from host-b to host-a, down for \d/,
  );

  await endWorkloads(fleet);
});

test('wrong usage, and what agents do not accept, are clear errors', async () => {
  const { redis } = shared;
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  const signed = ['--operator', 'ada', '--key', key];
  const where = ['--redis', redis.path];
  const agent = ['agent', ...where, '--listen', '127.0.0.1:0', '--insecure'];
  await nodeCriu(['fleet', 'keygen', 'eve', '-D', directory]);
  const forged = ['--operator', 'ada', '--key', join(directory, 'eve.key')];
  const cases: readonly (readonly [args: readonly string[], exitCode: number, said: string])[] = [
    [['keygen', 'ada', '-D', operators], 2, 'ada.key exists already'],
    [['keygen', '../ada'], 2, 'is no name of an operator'],
    [['hosts'], 2, 'give --redis, or set NODE_CRIU_REDIS'],
    [['hosts', '--redis', 'redis://:secret@127.0.0.1:1'], 1, 'Redis at 127.0.0.1:1 cannot be'],
    [['cordon', 'host-a', ...where], 2, 'give --operator and --key'],
    [['cordon', 'host-a', ...where, '--operator', 'ada', '--key', main], 2, '--key takes an Ed'],
    [['cordon', 'host-a', ...where, ...forged], 3, 'is not signed by the key of ada'],
    [['run', 'web', '--keep', '2', ...where, ...signed, '--', 'x'], 2, 'needs --checkpoint-every'],
    [['run', 'web', ...where, ...signed], 2, 'give either a command after --'],
    [['run', 'web', '--pid', '1', ...where, ...signed], 2, 'need --on'],
    [['run', 'none', ...where, ...signed, '--', '/none'], 1, 'none was not started: '],
    [['run', 'none', '--host-label', 'a=b', ...where, ...signed, '--', 'x'], 3, 'no host'],
    [[...agent, '--operators', directory, '-D', directory], 1, 'another agent is host-a'],
    [[...agent, '--operators', `${operators}:fly`], 2, "'all', or a list of move, run"],
  ];
  const check = async ([args, exitCode, said]: (typeof cases)[number]) => {
    const name = args[0] === 'agent' ? ['--name', 'host-a'] : [];
    const ended = await nodeCriu(['fleet', ...args, ...name]);
    const text = `${ended.stdout}${ended.stderr}`;
    expect({ args, exitCode: ended.exitCode, text }).toEqual({
      ...{ args, exitCode, text: expect.stringContaining(said) },
    });
    expect(text).not.toContain('secret');
  };
  for (let at = 0; at < cases.length; at += 4) {
    await Promise.all(cases.slice(at, at + 4).map(check));
  }
});

test('Ctrl-C ends the command and not the operation, which cancel ends', async () => {
  const { order, look, agents, fleet, redis } = shared;
  await order('run', 'api', '--on', 'host-a', '--', 'sleep', '1000');
  // The move is tried again and again: its destination no longer answers, and does not count as lost yet.
  const [, second] = agents;
  process.kill(second?.pid as number, 'SIGKILL');
  await second?.ended;
  const move = await startNodeCriu([
    ...['fleet', 'move', 'api', '--to', 'host-b', '--redis', redis.path],
    ...['--operator', 'ada', '--key', key, '--json'],
  ]);
  const waiting = () => /"step":"delayed","operation":"([\w-]+)"/.exec(move.stdout())?.[1];
  await waitFor(() => waiting() !== undefined, 'the move is tried again');
  const id = waiting() as string;
  process.kill(move.pid, 'SIGINT');
  expect(await move.ended).toMatchObject({
    exitCode: 130,
    stderr: `node-criu: the operation goes on; to cancel it, run: node-criu fleet cancel ${id}`,
  });
  expect((await order('cancel', id)).exitCode).toBe(0);
  expect(await look('watch', id)).toMatchObject({
    ...{ exitCode: 1, stdout: 'api stays on host-a: cancelled' },
  });
  expect((await look('workloads')).stdout).toMatch(/\napi +host-a +running /);
  await endWorkloads(fleet);
});

test('the workloads of a host that is lost are restarted once it is fenced', async () => {
  const { look, order, agents, fleet, home } = await startFleet('1s', onTestFinished);
  await order('run', 'web', '--on', 'host-a', '--checkpoint-every', '1s', ...program);
  await order('run', 'bare', '--on', 'host-a', ...program);
  const isHeld = async () =>
    (await fleet.workloads()).some(({ checkpoint }) => checkpoint?.hosts.includes('host-b'));
  await waitFor(isHeld, 'host-b has a checkpoint');
  const [first] = agents;
  process.kill(first?.pid as number, 'SIGKILL');
  await first?.ended;
  await endWorkloads(fleet);
  const isLost = async () => (await fleet.hosts())[0]?.isAlive === false;
  await waitFor(isLost, 'host-a is lost');
  const [unsure, plan, failed] = await Promise.all([
    order('recover', 'host-a'),
    look('recover', 'host-a', '--plan'),
    order('recover', 'host-a', '--fence', 'echo no such switch >&2; exit 1'),
  ]);
  expect(unsure.exitCode).toBe(2);
  expect(unsure.stderr).toMatch(/--fence .* or --fenced/);
  expect(plan.exitCode).toBe(3);
  expect(plan.stdout).toMatch(/^1 restart:\n\n.*\n +1 +web +host-b +20\S+Z .*\n\n1 workload not/);
  expect(plan.stdout).toMatch(/\n +bare on host-a: it has no checkpoint$/);
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toMatch(/host-a is not fenced: .*no such switch/);
  const switched = join(home, 'switched');
  const fence = `echo "$NODE_CRIU_HOST" >> ${switched}`;
  expect(await order('recover', 'host-a', '--fence', fence)).toMatchObject({
    ...{ exitCode: 1, stdout: 'web runs on host-b\nnot restarted: bare' },
  });
  expect(await readFile(switched, 'utf8')).toBe('host-a\n');
  const there = (await fleet.workloads()).filter(({ host }) => host === 'host-b');
  expect(there).toMatchObject([{ name: 'web', state: 'running', generation: 1 }]);
  process.kill(there[0]?.pid as number, 'SIGKILL');
});

test('without its packages, the command says what to install', async () => {
  const copy = await temporaryDirectory();
  await cp(join(main, '../..'), join(copy, 'dist'), { recursive: true });
  await cp(join(main, '../../../package.json'), join(copy, 'package.json'));
  await mkdir(join(copy, 'node_modules'));
  const commander = join(main, '../../../node_modules/commander');
  await cp(commander, join(copy, 'node_modules/commander'), { recursive: true });
  const file = join(copy, 'dist/cli/main.js');
  const env = { CRIU_PATH: criuPath(), FORCE_COLOR: undefined };
  const ended = await execa(file, ['fleet', 'hosts', '--redis', '/none'], { env, reject: false });
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({
    exitCode: 1,
    stderr:
      'node-criu: a fleet needs packages that are not installed: npm install bullmq ioredis redis-semaphore (ERR_CRIU_FLEET)',
  });
});
