import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
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
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';
import { LabRedis } from '../../lab/fleet.mjs';

beforeAll(buildCommand);

type Verb = (...args: readonly string[]) => Promise<Ended>;

async function startRedis(directory: string): Promise<LabRedis> {
  const redis = new LabRedis(directory);
  await redis.start();
  onTestFinished(() => redis.stop());
  return redis;
}

/** A Redis, the key of an operator, and agents on loopback that take his orders. */
async function startFleet(names: readonly string[], heartbeat = '2s') {
  const directory = await temporaryDirectory();
  const redis = await startRedis(directory);
  const operators = join(directory, 'operators');
  await mkdir(operators);
  const key = join(operators, 'ada.key');
  expect(await nodeCriu(['fleet', 'keygen', 'ada', '-D', operators])).toMatchObject({
    ...{ exitCode: 0, stdout: `${key}\n${join(operators, 'ada.pub')}`, stderr: '' },
  });
  const connection = ['--redis', redis.path];
  const agents = await Promise.all(
    names.map(async (name) => {
      const flags = [
        '--name',
        name,
        '--listen',
        '127.0.0.1:0',
        '--insecure',
        '--heartbeat',
        heartbeat,
      ];
      const places = ['--directory', join(directory, name), '--operators', operators];
      const label = ['--label', `zone=${name}`, '--allow-address', '127.0.0.0/8'];
      const agent = await startNodeCriu([
        ...['fleet', 'agent', ...connection, ...flags, ...places, ...label],
      ]);
      await waitFor(() => agent.stdout().includes('takes orders'), `${name} is ready`);
      return agent;
    }),
  );
  const look: Verb = (...args) => nodeCriu(['fleet', ...args, ...connection]);
  const identity = ['--operator', 'ada', '--key', key];
  const order: Verb = (verb = '', ...args) =>
    nodeCriu(['fleet', verb, ...connection, ...identity, ...args]);
  return { directory, redis, operators, key, agents, look, order };
}

async function endWorkloads(look: Verb): Promise<void> {
  const { stdout } = await look('workloads', '--json');
  const [{ workloads }] = events(stdout) as [{ workloads: { pid: number }[] }];
  for (const { pid } of workloads) process.kill(pid, 'SIGKILL');
}

const program = ['--', 'sh', '-c', 'echo here; while sleep 0.1; do :; done'];

test('workloads are started and moved', async () => {
  const { look, order, directory } = await startFleet(['host-a', 'host-b']);
  expect((await look('hosts')).stdout).toMatch(
    /^NAME +STATE .*\nhost-a +ready +0 .* zone=host-a\nhost-b +ready +0 .* zone=host-b$/,
  );
  const log = join(directory, 'sleeper.log');
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

  await endWorkloads(look);
});

test('Ctrl-C ends the command and not the operation, which cancel ends', async () => {
  const { order, look, agents, redis, key } = await startFleet(['host-a', 'host-b'], '5s');
  await order('run', 'web', '--on', 'host-a', '--', 'sleep', '1000');
  // The move is tried again and again: its destination no longer answers, and does not count as lost yet.
  const [, second] = agents;
  process.kill(second?.pid as number, 'SIGKILL');
  await second?.ended;
  const move = await startNodeCriu([
    ...['fleet', 'move', 'web', '--to', 'host-b', '--redis', redis.path],
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
    ...{ exitCode: 1, stdout: 'web stays on host-a: cancelled' },
  });
  expect((await look('workloads')).stdout).toMatch(/\nweb +host-a +running /);
  await endWorkloads(look);
});

test('the workloads of a host that is lost are restarted once it is fenced', async () => {
  const { look, order, agents, directory, redis } = await startFleet(['host-a', 'host-b'], '300ms');
  await order('run', 'web', '--on', 'host-a', '--checkpoint-every', '1s', ...program);
  await order('run', 'bare', '--on', 'host-a', ...program);
  const fleet = await Fleet.connect({ redis: { path: redis.path } });
  onTestFinished(() => fleet.close());
  const isHeld = async () =>
    (await fleet.workloads()).some(({ checkpoint }) => checkpoint?.hosts.includes('host-b'));
  await waitFor(isHeld, 'host-b has a checkpoint');
  const [first] = agents;
  process.kill(first?.pid as number, 'SIGKILL');
  await first?.ended;
  await endWorkloads(look);
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
  const switched = join(directory, 'switched');
  const fence = `echo "$NODE_CRIU_HOST" >> ${switched}`;
  expect(await order('recover', 'host-a', '--fence', fence)).toMatchObject({
    ...{ exitCode: 1, stdout: 'web runs on host-b\nnot restarted: bare' },
  });
  expect(await readFile(switched, 'utf8')).toBe('host-a\n');
  const there = (await fleet.workloads()).filter(({ host }) => host === 'host-b');
  expect(there).toMatchObject([{ name: 'web', state: 'running', generation: 1 }]);
  process.kill(there[0]?.pid as number, 'SIGKILL');
});

test('wrong usage, and what agents do not accept, are clear errors', async () => {
  const { operators, directory, redis, key } = await startFleet(['host-a']);
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
    [['run', 'web', ...where, ...signed, '--', '/none'], 1, 'web was not started: '],
    [['run', 'web', '--host-label', 'a=b', ...where, ...signed, '--', 'x'], 3, 'no host'],
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

test('without its packages, the command says what to install', async () => {
  const directory = await temporaryDirectory();
  await cp(join(main, '../..'), join(directory, 'dist'), { recursive: true });
  await cp(join(main, '../../../package.json'), join(directory, 'package.json'));
  await mkdir(join(directory, 'node_modules'));
  const commander = join(main, '../../../node_modules/commander');
  await cp(commander, join(directory, 'node_modules/commander'), { recursive: true });
  const file = join(directory, 'dist/cli/main.js');
  const env = { CRIU_PATH: criuPath(), FORCE_COLOR: undefined };
  const ended = await execa(file, ['fleet', 'hosts', '--redis', '/none'], { env, reject: false });
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({
    exitCode: 1,
    stderr:
      'node-criu: a fleet needs packages that are not installed: npm install bullmq ioredis redis-semaphore (ERR_CRIU_FLEET)',
  });
});
