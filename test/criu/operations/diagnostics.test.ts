import { channel, tracingChannel } from 'node:diagnostics_channel';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, type OperationTrace, type WorkerTrace } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { failureOf } from '../../helpers/failures.ts';
import { client, startCounter, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

/** Records all events during a test, in order. */
function listen(): string[] {
  const recorded: string[] = [];
  const operations = tracingChannel<unknown, OperationTrace>('node-criu:operation');
  const notifications = tracingChannel<unknown, { script: string }>('node-criu:notification');
  const record = <T extends object>(kind: string, what: (trace: T) => unknown) => ({
    start: (trace: T) => void recorded.push(`${kind} ${what(trace)} start`),
    end() {},
    asyncStart() {},
    asyncEnd: (trace: T) => void recorded.push(`${kind} ${what(trace)} end`),
    error: (trace: T) => void recorded.push(`${kind} ${what(trace)} error`),
  });
  const ofOperations = record<OperationTrace>('operation', ({ operation }) => operation);
  const ofNotifications = record<{ script: string }>('step', ({ script }) => script);
  const started = (trace: unknown) =>
    void recorded.push(`worker ${(trace as WorkerTrace).args[0]}`);
  const ended = (trace: unknown) => void recorded.push(`exit ${(trace as WorkerTrace).exit?.code}`);
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
  return recorded;
}

test('channels record of operations, of criu processes and of CRIU’s steps', async () => {
  const criu = client();
  await criu.version();
  const counter = await startCounter();
  const recorded = listen();
  await criu.dump(counter.pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
  expect(recorded).toEqual([
    'operation dump start',
    'worker swrk',
    ...['pre-dump', 'query-ext-files', 'network-lock', 'post-dump', 'network-unlock']
      .filter((step) => recorded.includes(`step ${step} start`))
      .flatMap((step) => [`step ${step} start`, `step ${step} end`]),
    'exit 0',
    'operation dump end',
  ]);
  expect(recorded).toContain('step post-dump end');
});

test('channels report failures', async () => {
  const counter = await startCounter();
  const recorded = listen();
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    hooks: {
      postDump() {
        throw new Error('not today');
      },
    },
  });
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK' });
  expect(recorded).toContain('step post-dump error');
  expect(recorded.slice(-2)).toEqual(['operation dump error', 'operation dump end']);
  const missing = new Criu({ path: '/nonexistent' }).version();
  await expect(missing).rejects.toMatchObject({ code: 'ERR_CRIU_NOT_FOUND' });
  expect(recorded.slice(-3)).toEqual([
    'operation version start',
    'operation version error',
    'operation version end',
  ]);
});

type Told = readonly [event: string, payload: object, then: object];

/** The events of a tracing channel: each with its payload, and a copy of that as it was then. */
function eventsOf(name: string): readonly Told[] {
  const recorded: Told[] = [];
  const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
  const subscribers = Object.fromEntries(
    events.map((event) => [
      event,
      (trace: object) => void recorded.push([event, trace, { ...trace }]),
    ]),
  ) as Record<(typeof events)[number], (trace: object) => void>;
  const tracing = tracingChannel<object, object>(name);
  tracing.subscribe(subscribers);
  onTestFinished(() => void tracing.unsubscribe(subscribers));
  return recorded;
}

/** The payloads of an operation's events: one and the same, as a map of spans by payload needs it. */
function expectOne(recorded: readonly Told[], events: readonly string[]): object {
  expect(recorded.map(([event]) => event)).toEqual(events);
  const [payload, ...others] = new Set(recorded.map(([, payload]) => payload));
  expect(others).toEqual([]);
  return payload as object;
}

describe('payloads', () => {
  test('of an operation are one object, with its result in the end', async () => {
    const counter = await startCounter();
    const recorded = eventsOf('node-criu:operation');
    const imagesDirectory = await temporaryDirectory();
    const result = await client().dump(counter.pid, { imagesDirectory, leaveRunning: true });
    const { pid } = counter;
    const payload = expectOne(recorded, ['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(recorded[0]?.[2]).toEqual({ operation: 'dump', pid });
    expect(payload).toEqual({ operation: 'dump', pid, result });
  });

  test('of one that fails have the error that it rejects with', async () => {
    const recorded = eventsOf('node-criu:operation');
    const error = await failureOf(new Criu({ path: '/nonexistent' }).version());
    const payload = expectOne(recorded, ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(recorded[0]?.[2]).toEqual({ operation: 'version' });
    expect(payload).toEqual({ operation: 'version', error });
    expect((payload as OperationTrace).error).toBe(error);
  });

  test('of operations at the same time are not confused', async () => {
    const criu = client();
    const recorded = eventsOf('node-criu:operation');
    await Promise.all([criu.version(), criu.features(), criu.version()]);
    const payloads = [...new Set(recorded.map(([, payload]) => payload as OperationTrace))];
    const operations = payloads.map(({ operation }) => operation);
    expect(operations).toEqual(['version', 'features', 'version']);
    for (const payload of payloads) {
      const own = recorded.filter((each) => each[1] === payload);
      expectOne(own, ['start', 'end', 'asyncStart', 'asyncEnd']);
    }
  });

  test('of a step have its name, and the pid if CRIU sends it', async () => {
    const criu = client();
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    await criu.dump(counter.pid, { imagesDirectory });
    await waitGone(counter.pid);
    const recorded = eventsOf('node-criu:notification');
    const refused = new Error('not today');
    const error = await failureOf(
      criu.restore({
        imagesDirectory,
        hooks: {
          postRestore() {
            throw refused;
          },
        },
      }),
    );
    expect(error.cause).toBe(refused);
    const first = recorded.filter((each) => each[1] === recorded[0]?.[1]);
    expect(expectOne(first, ['start', 'end', 'asyncStart', 'asyncEnd'])).toEqual({
      script: 'pre-restore',
      result: undefined,
    });
    const last = recorded.filter(([, payload]) => 'error' in payload);
    const payload = expectOne(last, ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(payload).toEqual({ script: 'post-restore', pid: counter.pid, error: refused });
  });

  test('of a criu process have its command and its exit', async () => {
    const recorded: WorkerTrace[] = [];
    const record = (trace: unknown) => void recorded.push(trace as WorkerTrace);
    for (const name of ['start', 'exit']) {
      channel(`node-criu:worker.${name}`).subscribe(record);
      onTestFinished(() => void channel(`node-criu:worker.${name}`).unsubscribe(record));
    }
    await client().version();
    const start = { pid: expect.any(Number), path: criuPath(), args: ['swrk', '3'] };
    expect(recorded).toEqual([start, { ...start, exit: { code: 0, signal: null } }]);
    expect(recorded[0]?.pid).toBe(recorded[1]?.pid);
  });
});

test('NODE_DEBUG=criu prints them', async () => {
  await buildLibrary();
  const script = `import { Criu } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
    await new Criu({ path: ${JSON.stringify(criuPath())} }).version();`;
  const run = (env: Record<string, string>) =>
    execa(process.execPath, ['--input-type=module', '-e', script], { env });
  const { stderr } = await run({ NODE_DEBUG: 'criu' });
  expect(stderr).toMatch(/^CRIU \d+: version$/m);
  expect(stderr).toMatch(/criu swrk 3 is process \d+$/m);
  expect(stderr).toMatch(/^CRIU \d+: version: done in [\d.]+ ms$/m);
  expect((await run({})).stderr).toBe('');
});
