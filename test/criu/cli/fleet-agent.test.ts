import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { fleetRedis } from '../../helpers/fleet-redis.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('an agent ends on SIGTERM while Redis is away', async () => {
  const redis = await fleetRedis();
  const directory = await temporaryDirectory();
  const made = await nodeCriu(['fleet', 'keygen', 'ada', '-D', directory]);
  expect(made).toMatchObject({ exitCode: 0 });
  const agent = await startNodeCriu([
    ...['fleet', 'agent', '--redis', redis.options.path, '--name', 'a', '--insecure'],
    ...['--listen', '127.0.0.1:0', '--directory', join(directory, 'a'), '--heartbeat', '1s'],
    ...['--operators', join(directory, 'ada.pub'), '--criu', criuPath()],
  ]);
  await waitFor(() => agent.stdout().includes('takes orders'), 'the agent is ready');
  await redis.crash();
  await waitFor(() => agent.stderr().includes('cannot be asked'), 'the agent misses Redis');
  process.kill(agent.pid, 'SIGTERM');
  expect(await agent.ended).toMatchObject({ exitCode: 0 });
});
