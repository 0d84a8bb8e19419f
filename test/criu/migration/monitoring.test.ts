import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { arch } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { listMigrations, type RefusedOffer, serveMigrations } from '../../../src/index.ts';
import { DestinationClient } from '../../../src/migration/protocol/destination-client.ts';
import { toWireMode } from '../../../src/migration/protocol/modes.ts';
import { refusalOf } from '../../../src/migration/protocol/refusals.ts';
import { PROTOCOL } from '../../../src/migration/protocol/service.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const listen = { host: '127.0.0.1', port: 0 };
const limits = { timeoutMs: 60_000 };

test('a server reports its health, readiness, metrics and migrations', async () => {
  const base = await temporaryDirectory();
  const [path, directory] = [join(base, 'criu'), join(base, 'there')];
  await symlink(criuPath(), path);
  await mkdir(directory);
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'node-criu', directory]);
  onTestFinished(async () => void (await execa('umount', ['-l', directory])));
  const refusals: RefusedOffer[] = [];
  const refused = (one: RefusedOffer) => refusals.push(one);
  const server = await serveMigrations({
    ...{ listen, insecure: true, directory, path, metrics: { port: 0 } },
    ...{ maxMigrations: 1, maxBandwidth: 1 << 20, hooks: { refused } },
  });
  onTestFinished(() => server.close());
  const get = async (page: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.metricsPort}/${page}`);
    const { status, headers } = answer;
    return { status, type: headers.get('content-type'), text: await answer.text() };
  };
  const waitReadiness = async (status: number, text: string) => {
    await waitFor(async () => (await get('readyz')).status === status, `readyz is ${status}`);
    expect((await get('readyz')).text).toContain(text);
  };
  const elsewhere = connect({ host: '127.0.0.2', port: server.metricsPort as number });
  await expect(new Promise((_, reject) => elsewhere.on('error', reject))).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
  expect(await get('healthz')).toMatchObject({ status: 200, text: 'ok\n' });
  expect(await get('elsewhere')).toMatchObject({ status: 404 });
  await waitReadiness(200, 'ready');

  using destination = await DestinationClient.connect(server, undefined);
  const offer = async () => {
    const request = { protocol: PROTOCOL, id: randomUUID(), mode: toWireMode('stop-and-copy') };
    const { objections } = await destination.offer(
      { ...request, host: { architecture: arch() } },
      limits,
    );
    return refusalOf(objections) ?? 'accepted';
  };
  expect([await offer(), await offer()]).toEqual(['accepted', 'busy']);
  expect(refusals).toMatchObject([
    { refusal: 'busy', message: 'There is 1 migration under way to this host.' },
  ]);
  const [{ peer } = { peer: undefined }] = server.migrations;
  expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await listMigrations({ directory })).toEqual([
    {
      ...{ id: server.migrations[0]?.id, role: 'destination', state: 'receiving', peer },
      ...{ status: 'in-flight', agent: process.pid, since: expect.any(Date) },
    },
  ]);
  const { type, text } = await get('metrics');
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
  for (const line of [
    '# TYPE node_criu_migrations gauge',
    'node_criu_migrations{state="receiving"} 1',
    'node_criu_migrations_limit 1',
    'node_criu_migrations_ended_total{state="aborted"} 0',
    'node_criu_offers_total{result="accepted"} 1',
    'node_criu_offers_total{result="busy"} 1',
    'node_criu_received_bytes_total 0',
    'node_criu_bandwidth_limit_bytes_per_second 1048576',
    'node_criu_ready 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|node_criu_\w+(\{\w+="[\w-]+"\})? \d+)$/);
  }

  const filler = join(directory, 'filler');
  await writeFile(filler, Buffer.alloc(8 << 20)).catch(() => {});
  await waitReadiness(503, 'journals cannot be written: ENOSPC');
  await rm(filler);
  await waitReadiness(200, 'ready');
  await rename(path, `${path}-away`);
  await waitReadiness(503, `criu cannot be started: there is no ${path}`);
  await rename(`${path}-away`, path);
  await waitReadiness(200, 'ready');

  server.drain();
  expect(await get('readyz')).toMatchObject({
    status: 503,
    text: 'the server accepts no more migrations\n',
  });
  expect(await offer()).toBe('closing');
  expect(await get('healthz')).toMatchObject({ status: 200 });
  expect(server.migrations).toMatchObject([{ state: 'receiving' }]);
  await server.close();
  await expect(get('healthz')).rejects.toThrow();
});
