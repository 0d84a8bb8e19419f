import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { serveMigrations } from '../../src/index.ts';
import { DestinationClient } from '../../src/migration/protocol/destination-client.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

test('a source connects to its destination directly, whatever proxies the environment names', async () => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void proxy.close());
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  for (const name of ['grpc_proxy', 'https_proxy', 'http_proxy']) vi.stubEnv(name, url);
  onTestFinished(() => void vi.unstubAllEnvs());

  await using server = await serveMigrations({
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    directory: await temporaryDirectory(),
  });
  using destination = await DestinationClient.connect(server, undefined);
  const status = await destination.call('getStatus', { id: randomUUID() }, { timeoutMs: 10_000 });
  expect(status).toMatchObject({ state: 'unknown' });
  expect(connections).toBe(0);
});
