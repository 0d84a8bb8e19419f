import { channel, tracingChannel } from 'node:diagnostics_channel';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { Criu, type OperationTrace, type WorkerTrace } from '../../src/index.ts';
import { buildLibrary } from '../helpers/built.ts';
import { client, startCounter, temporaryDirectory } from '../helpers/workload.ts';

/** All that is told while a test runs, in order. */
function listen(): string[] {
  const told: string[] = [];
  const operations = tracingChannel<unknown, OperationTrace>('node-criu:operation');
  const notifications = tracingChannel<unknown, { script: string }>('node-criu:notification');
  const tell = <T extends object>(kind: string, what: (trace: T) => unknown) => ({
    start: (trace: T) => void told.push(`${kind} ${what(trace)} start`),
    end() {},
    asyncStart() {},
    asyncEnd: (trace: T) => void told.push(`${kind} ${what(trace)} end`),
    error: (trace: T) => void told.push(`${kind} ${what(trace)} error`),
  });
  const ofOperations = tell<OperationTrace>('operation', ({ operation }) => operation);
  const ofNotifications = tell<{ script: string }>('step', ({ script }) => script);
  const started = (trace: unknown) => void told.push(`worker ${(trace as WorkerTrace).args[0]}`);
  const ended = (trace: unknown) => void told.push(`exit ${(trace as WorkerTrace).exit?.code}`);
  operations.subscribe(ofOperations);
  notifications.subscribe(ofNotifications);
  channel('node-criu:worker.start').subscribe(started);
  channel('node-criu:worker.exit').subscribe(ended);
  onTestFinished(() => {
    operations.unsubscribe(ofOperations);
    notifications.unsubscribe(ofNotifications);
    channel('node-criu:worker.start').unsubscribe(started);
    channel('node-criu:worker.exit').unsubscribe(ended);
  });
  return told;
}

test('channels tell of operations, of criu processes and of CRIU’s steps', async () => {
  const criu = client();
  await criu.version();
  const counter = await startCounter();
  const told = listen();
  await criu.dump(counter.pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
  expect(told).toEqual([
    'operation dump start',
    'worker swrk',
    ...['pre-dump', 'query-ext-files', 'network-lock', 'post-dump', 'network-unlock']
      .filter((step) => told.includes(`step ${step} start`))
      .flatMap((step) => [`step ${step} start`, `step ${step} end`]),
    'exit 0',
    'operation dump end',
  ]);
  expect(told).toContain('step post-dump end');
});

test('channels tell of what fails', async () => {
  const counter = await startCounter();
  const told = listen();
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    hooks: {
      postDump() {
        throw new Error('not today');
      },
    },
  });
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK' });
  expect(told).toContain('step post-dump error');
  expect(told.slice(-2)).toEqual(['operation dump error', 'operation dump end']);
  const missing = new Criu({ path: '/nonexistent' }).version();
  await expect(missing).rejects.toMatchObject({ code: 'ERR_CRIU_NOT_FOUND' });
  expect(told.slice(-3)).toEqual([
    'operation version start',
    'operation version error',
    'operation version end',
  ]);
});

test('NODE_DEBUG=criu prints them', async () => {
  await buildLibrary();
  const script = `import { Criu } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    await new Criu({ path: ${JSON.stringify(criuPath())} }).version();`;
  const run = (env: Record<string, string>) =>
    execa(process.execPath, ['--input-type=module', '-e', script], { env });
  const { stderr } = await run({ NODE_DEBUG: 'criu' });
  expect(stderr).toMatch(/^CRIU \d+: version$/m);
  expect(stderr).toMatch(/criu swrk 3 is process \d+$/m);
  expect(stderr).toMatch(/^CRIU \d+: version: done in [\d.]+ ms$/m);
  expect((await run({})).stderr).toBe('');
});
