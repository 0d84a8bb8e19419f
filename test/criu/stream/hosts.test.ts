import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { streamingCriuPath } from '../../../scripts/criu-path.mjs';
import { buildLibrary } from '../../helpers/built.ts';
import { main } from '../../helpers/command.ts';
import { startLab } from '../../helpers/lab.ts';
import {
  type Report,
  startAgent,
  startClient,
  startServer,
  type Verification,
} from '../../lab/programs.mjs';

test('a server moves through a pipe to another host, with its connections', async () => {
  await buildLibrary();
  const lab = await startLab();
  const pid = await startServer(lab, await startAgent(lab.a), { heap: 16, hot: 1, rate: 100 });
  const client = await startClient(lab);
  await lab.makeServiceBindable();
  await client.measure();

  const env = { ...process.env, CRIU_PATH: streamingCriuPath() };
  const run = (host: typeof lab.a | typeof lab.b, stdin: 'ignore' | 'pipe', ...args: string[]) =>
    host.spawn(process.execPath, [main, ...args, '--stream', '--quiet'], {
      env,
      stdio: [stdin, 'pipe', 'inherit'],
    });
  const dump = run(lab.a, 'ignore', 'dump', String(pid), '--tcp-established');
  const restore = run(lab.b, 'pipe', 'restore');
  const ended = Promise.all([dump, restore].map((one) => once(one, 'exit')));
  const said = text(restore.stdout as NodeJS.ReadableStream);
  // As ssh does.
  await pipeline(dump.stdout as NodeJS.ReadableStream, restore.stdin as NodeJS.WritableStream);
  expect(await ended).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(await said).toBe(`${pid}\n`);

  await lab.moveService(lab.a, lab.b);
  await client.answersOn();
  expect(await client.ask<Report>('stop')).toMatchObject({ connections: 1, faults: [] });
  expect(await lab.a.outside(pid)).toBeUndefined();
  expect(await client.ask<Verification>('get', { path: '/verify' })).toMatchObject({ ok: true });
});
