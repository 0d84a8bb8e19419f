import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Fleet, serveDashboard } from '../../../src/fleet.ts';
import { Criu } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';
import { LabRedis } from '../../lab/fleet.mjs';

const users = join(import.meta.dirname, '../../../examples/fleet/users.acl');

test('the users of examples/fleet/users.acl can do what agents, operators and viewers need, and no more', async () => {
  const directory = await temporaryDirectory();
  const redis = new LabRedis(directory, ['--aclfile', users]);
  await redis.start();
  onTestFinished(() => redis.stop());
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const connect = async (username: string) => {
    const fleet = await Fleet.connect({
      redis: { path: redis.path, username, password: `${username}-secret` },
      operator: { name: 'ada', privateKey },
    });
    onTestFinished(() => fleet.close());
    return fleet;
  };
  const [agents, operator, viewer] = await Promise.all(
    ['agent', 'operator', 'viewer'].map(connect),
  );
  if (!agents || !operator || !viewer) throw new Error('unreachable');
  const warnings: string[] = [];
  for (const name of ['host-a', 'host-b']) {
    const member = await agents.join({
      ...{ name, listen: { host: '127.0.0.1', port: 0 }, insecure: true, heartbeatMs: 2000 },
      directory: join(directory, name),
      criu: new Criu({ path: criuPath() }),
      operators: [{ name: 'ada', publicKey }],
      hooks: { warning: ({ message }) => void warnings.push(message) },
    });
    onTestFinished(() => member.close());
  }
  await operator.limitMoves(1);
  const run = await operator.run({ name: 'w', command: ['sleep', '1000'] }, { on: 'host-a' });
  await run.result();
  await (await operator.move('w')).result();
  await operator.cordon('host-a');
  expect(await viewer.hosts()).toMatchObject([{ state: 'cordoned' }, { state: 'ready' }]);
  expect(await (await viewer.operation(run.id)).ended()).toMatchObject({ state: 'done' });
  expect(await viewer.operations()).toMatchObject([{ kind: 'move' }, { kind: 'run' }]);
  await using dashboard = await serveDashboard(viewer);
  const headers = { authorization: `Bearer ${dashboard.token}` };
  for (const [path, has] of [
    ['metrics', 'node_criu_fleet_hosts_alive 2'],
    ['plan?rebalance=', '"notes":'],
    ['queues/api/queues', '"counts":'],
  ] as const) {
    const answer = await fetch(dashboard.url.replace(/#.*/, path), { headers });
    expect(await answer.text()).toContain(has);
  }
  for (const writing of [
    () => viewer.cordon('host-b'),
    () => viewer.run({ name: 'x', command: ['true'] }),
    () => viewer.limitMoves(9),
  ]) {
    expect(await failureOf(writing())).toMatchObject({ code: 'ERR_CRIU_FLEET' });
  }
  expect((await viewer.hosts())[1]).toMatchObject({ state: 'ready' });
  expect(await operator.operations()).toHaveLength(2);
  expect(warnings).toEqual([]);
  const moved = async () => (await viewer.workloads()).find(({ host }) => host === 'host-b');
  await waitFor(async () => (await moved()) !== undefined, 'host-b has it');
  process.kill((await moved())?.pid as number, 'SIGKILL');
});
