import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Criu } from '../../src/criu.ts';
import { failureOf } from '../helpers/failures.ts';
import { fd, notOpen } from '../helpers/option-cases.ts';
import { children } from '../helpers/own-resources.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** The option that the error must name, and the options to pass. */
type Bad = readonly [option: string, given: unknown];

const wrong = (operation: unknown, option: string) => ({
  code: 'ERR_CRIU_INVALID_ARGUMENT',
  operation,
  option,
});

/** Adds the options that a method requires. */
const beside =
  (needed: object) =>
  ([option, given]: Bad): Bad => [
    option,
    typeof given === 'object' && given ? { ...needed, ...given } : given,
  ];
const inImages = beside({ imagesDirectory: '/i' });
const pidWith = ([option, given]: Bad): [string, unknown[]] => [option, [12, given]];
const alone = ([option, given]: Bad): [string, unknown[]] => [option, [given]];

const limits: Bad[] = [
  ['options', null],
  ['options', 'fast'],
  ['signal', { signal: new EventTarget() }],
  ['deadlineMs', { deadlineMs: -1 }],
  ['deadlineMs', { deadlineMs: 2 ** 31 }],
  ['gracePeriodMs', { gracePeriodMs: '5 s' }],
  ['deadline', { deadline: 5 }],
];
const common: Bad[] = [
  ...limits,
  ['logLevel', { logLevel: 9 }],
  ['log_level', { log_level: 4 }],
  ['hooks.preDumb', { hooks: { preDumb() {} } }],
  ['hooks.preDump', { hooks: { preDump: 'yes' } }],
];
const directory: Bad[] = [
  ['imagesDirectory', {}],
  ['imagesDirectory', { imagesDirectory: '' }],
];
const secrets: Bad[] = [
  ['encryption.key', { encryption: { key: Buffer.alloc(31) } }],
  ['encryption.passphrase', { encryption: { passphrase: 'short' } }],
  ['encryption', { encryption: {} }],
  ['encryption', { encryption: { key: Buffer.alloc(32), passphrase: 'long enough' } }],
];
const ofDumps = [
  ...common.map(inImages),
  ...directory,
  inImages(['asChild', { asChild: true }]),
  inImages(['pageServer', { pageServer: { address: '::1', port: 0 } }]),
].map(pidWith);
const pids = [0, -1, 1.5, '12', 2 ** 31, undefined, 1n].map((pid): [string, unknown[]] => [
  'pid',
  [pid, { imagesDirectory: '/i' }],
]);
const descriptors = [null, 5, { 3: fd }, { 4.5: fd }, { a: fd }];

/** Invalid arguments by method, which JavaScript accepts. */
const calls: Readonly<Record<string, readonly [option: string, args: unknown[]][]>> = {
  version: limits.map(alone),
  features: limits.map(alone),
  check: [...common, ['imagesDirectory', { imagesDirectory: '/i' }] as const].map(alone),
  dump: [...pids, ...ofDumps, pidWith(inImages(['force', { force: 'yes' }]))],
  preDump: [
    ...[...pids, ...ofDumps, pidWith(inImages(['force', { force: true }]))],
    pidWith(inImages(['lazyPages', { lazyPages: true }])),
  ],
  checkpoint: [
    ...pids,
    ...ofDumps.filter(([option]) => option !== 'options'),
    pidWith(['imagesDirectory', null]),
    pidWith(inImages(['preDump', { preDump: 'yes' }])),
    pidWith(inImages(['lazyPages', { preDump: true, lazyPages: true }])),
  ],
  iterate: [
    ...pids,
    ...ofDumps,
    pidWith(inImages(['parentImage', { parentImage: '../0' }])),
    pidWith(inImages(['trackMem', { trackMem: false }])),
    pidWith(inImages(['preflight', { preflight: 'no' }])),
    ...['leaveRunning', 'leaveStopped'].map((option) =>
      pidWith(inImages([option, { lazyPages: true, [option]: true }])),
    ),
    pidWith(inImages(['pageServer', { pageServer: { fd: notOpen } }])),
  ],
  preflight: [...pids, ...common.map(pidWith)],
  preflightRestore: [
    ...common.map(inImages),
    ...directory,
    inImages(['leaveRunning', { leaveRunning: true }]),
    inImages(['stream', { stream: true }]),
  ].map(alone),
  restore: [
    ...common.map(inImages),
    ...directory,
    inImages(['leaveRunning', { leaveRunning: true }]),
    inImages(['inheritFd', { inheritFd: { 'pipe:[1]': notOpen } }]),
  ].map(alone),
  dumpStream: [
    ...pids.map(([option, [pid]]): [string, unknown[]] => [option, [pid]]),
    ...[
      ...common,
      ...['imagesDirectory', 'parentImage', 'lazyPages', 'stream', 'durable', 'compress'].map(
        (option): Bad => [option, { [option]: true }],
      ),
      ['asChild', { asChild: true }] as const,
      ['force', { force: 'yes' }] as const,
      ['compression', { compression: 'lz4' }] as const,
      ...secrets,
      ['maxBufferedBytes', { maxBufferedBytes: -1 }] as const,
      ['confirm', { confirm: true }] as const,
    ].map(pidWith),
  ],
  restoreStream: [
    ['source', ['/a/file']],
    ['source', []],
    ...[
      ...common,
      ['imagesDirectory', { imagesDirectory: '/i' }] as const,
      ['leaveRunning', { leaveRunning: true }] as const,
      ['force', { force: true }] as const,
      ['encryption', { encryption: {} }] as const,
      ['maxBytes', { maxBytes: 0 }] as const,
    ].map(([option, given]): [string, unknown[]] => [option, [Readable.from([]), given]]),
  ],
  lazyDump: [
    ...pids,
    ...ofDumps.filter(([option]) => option !== 'pageServer'),
    ...[
      ...['leaveRunning', 'leaveStopped', 'lazyPages'].map(
        (option): Bad => [option, { [option]: true }],
      ),
      ...[null, 'here', { port: 70_000 }, { fd }].map(
        (pageServer): Bad => ['pageServer', { pageServer }],
      ),
      ['pageServer', { pageServer: { address: '0.0.0.0' } }] as const,
      ['insecure', { insecure: 'yes' }] as const,
      ['force', { force: 'yes' }] as const,
      ['confirm', { confirm: true }] as const,
    ].map((bad) => pidWith(inImages(bad))),
  ],
  lazyPages: [
    ...common.filter(([option]) => !/hooks|gracePeriodMs/.test(option)).map(inImages),
    ...directory,
    inImages(['hooks', { hooks: {} }]),
    inImages(['pageServer', { pageServer: { address: '::1', port: 0 } }]),
    inImages(['pageServer', { pageServer: { address: '192.0.2.1', port: 1 } }]),
  ].map(alone),
  lazyRestore: [
    ...common.map(inImages),
    ...directory,
    inImages(['leaveRunning', { leaveRunning: true }]),
    inImages(['pageServer', { pageServer: { address: '192.0.2.1', port: 1 } }]),
  ].map(alone),
  cpuinfoDump: [...common.map(inImages), ...directory].map(alone),
  cpuinfoCheck: [...common.map(inImages), ...directory].map(alone),
  pageServer: [
    ...common.map(inImages),
    ...directory,
    ...[null, 'here', { port: 70_000 }, { adress: '::1' }].map((pageServer) =>
      inImages(['pageServer', { pageServer }]),
    ),
  ].map(alone),
  session: [
    ...limits.map(alone),
    alone(['fds', { fds: {} }]),
    ...descriptors.map((bad) => alone(['descriptors', { descriptors: bad }])),
    ...[notOpen, '1'].map((bad) => alone(['descriptors.4', { descriptors: { 4: bad } }])),
  ],
  template: [
    ['options', ['node', [], null]],
    ['file', ['', [], { imagesDirectory: '/i' }]],
    ['args', ['node', 'app.js', { imagesDirectory: '/i' }]],
    ...[
      ['imagesDirectory', {}] as const,
      ['ready', { ready: {} }] as const,
      ['ready', { ready: { port: 80, line: 'up' } }] as const,
      ['ready.port', { ready: { port: 0 } }] as const,
      ['ready.url', { ready: { url: 'https://localhost/' } }] as const,
      ['ready.path', { ready: { path: '/x' } }] as const,
      ['readyTimeoutMs', { readyTimeoutMs: -1 }] as const,
      ['warmUp.url', { warmUp: { requests: 3 } }] as const,
      ['warmUp.requests', { warmUp: { url: 'http://localhost/', requests: 0 } }] as const,
      ['namespaces', { namespaces: ['user'] }] as const,
      ['mounts', { mounts: ['data'] }] as const,
      ['gid', { uid: 1 }] as const,
      ['env', { env: { 'A=B': 'c' } }] as const,
      ['cwd', { cwd: '/no/such/directory' }] as const,
      ['stdout', { stdout: notOpen }] as const,
      ['guestTimeoutMs', { guestTimeoutMs: '1 s' }] as const,
      ['reportHandles', { reportHandles: true }] as const,
      ...secrets,
      ['signal', { signal: true }] as const,
      ['leaveRunning', { leaveRunning: true }] as const,
    ].map((bad): [string, unknown[]] => {
      const [option, given] = bad[0] === 'imagesDirectory' ? bad : inImages(bad);
      return [option, ['node', [], given]];
    }),
  ],
  openTemplate: [
    ...['', undefined, 3].map((bad): [string, unknown[]] => ['imagesDirectory', [bad]]),
    ...secrets.map(([option, given]): [string, unknown[]] => [option, ['/i', given]]),
  ],
};

test('every method that starts criu has test cases', () => {
  // Some take no options; migration-input.test.ts has the cases of migrations, copies/migration.test.ts those of copies, and
  // attach() needs no criu.
  const others =
    /^(constructor|attach|binary|close|kernelCache|keepKernelCache|migrate|migrateCopy|serveMigrations|resolveMigration|unresolvedMigrations|listMigrations)$/;
  const methods = Object.getOwnPropertyNames(Criu.prototype);
  expect(methods.filter((name) => !others.test(name))).toEqual(Object.keys(calls));
});

/** The failure of a method of a client without a criu. */
function callOf(method: string, args: readonly unknown[]) {
  const criu = new Criu({ path: '/nonexistent' });
  const loose = criu as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  return failureOf(() => loose[method]?.(...args));
}

describe.each(Object.entries(calls))('%s refuses, before it looks for criu,', (method, list) => {
  test.each(list)('%s in %o', async (option, args) => {
    // checkpoint calls dump or preDump.
    const operation = method === 'checkpoint' ? expect.any(String) : method;
    const error = await callOf(method, args);
    expect(error).toMatchObject(wrong(operation, option));
    expect(error.message).not.toContain('\n');
  });
});

// preflight and preflightRestore report a missing criu as a finding, and openTemplate only reads.
const needCriu = Object.keys(calls).filter((method) => !/^(preflight|openTemplate)/.test(method));

test.each(needCriu)('%s looks for criu if its input is valid', async (method) => {
  const options = { imagesDirectory: '/i', deadlineMs: 1000 };
  const { imagesDirectory: _, ...limits } = options;
  const args: Record<string, unknown[]> = {
    version: [limits],
    features: [limits],
    check: [limits],
    session: [],
    dump: [12, options],
    preDump: [12, options],
    checkpoint: [12, options],
    iterate: [12, options],
    lazyDump: [12, options],
    dumpStream: [12, limits],
    restoreStream: [Readable.from([]), limits],
    template: ['node', [], { imagesDirectory: '/i' }],
  };
  const operation = method === 'checkpoint' ? 'dump' : method;
  expect(await callOf(method, args[method] ?? [options])).toMatchObject({
    code: 'ERR_CRIU_NOT_FOUND',
    operation,
  });
});

test('unusable directories and descriptors are refused before criu is asked', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'criu');
  // Writes down the first thing that it is asked.
  await writeFile(path, '#!/bin/sh\ndd bs=9999 count=1 <&3 2>&- >> "$(dirname "$0")/asked"\n', {
    mode: 0o700,
  });
  const criu = new Criu({ path });
  const imagesDirectory = directory;
  const missing = join(directory, 'missing');

  const lazily = { lazyPages: true, insecure: true };
  const refusals: [string, () => Promise<unknown>][] = [
    ['imagesDirectory', () => criu.restore({ imagesDirectory: missing })],
    ['imagesDirectory', () => criu.cpuinfoCheck({ imagesDirectory: missing })],
    ['imagesDirectory', () => criu.dump(process.pid, { imagesDirectory: path })],
    ['imagesDirectory', () => criu.dump(process.pid, { imagesDirectory: fd })],
    ['workDirectory', () => criu.restore({ imagesDirectory, workDirectory: path })],
    ['statusFd', () => criu.dump(process.pid, { imagesDirectory, ...lazily, statusFd: fd })],
  ];
  for (const [option, refusal] of refusals) {
    expect(await failureOf(refusal)).toMatchObject(wrong(expect.any(String), option));
  }
  expect(await readdir(directory)).toEqual(['asked', 'criu']);
  expect(await readFile(join(directory, 'asked'), 'latin1')).toBe('');
  expect(await children()).toEqual([]);
  // Proves that the script leaves a trace when it is asked.
  expect(await failureOf(criu.version())).toMatchObject({ code: 'ERR_CRIU_NOT_CRIU' });
  expect(await readFile(join(directory, 'asked'), 'latin1')).not.toBe('');
});

test('an operation with an aborted signal does not look for criu', async () => {
  const criu = new Criu({ path: '/nonexistent' });
  const reason = new Error('too late');
  const options = { imagesDirectory: '/i', signal: AbortSignal.abort(reason) };
  const aborted = { code: 'ERR_CRIU_ABORTED', cause: reason };
  expect(await failureOf(criu.dump(12, options))).toMatchObject({ ...aborted, operation: 'dump' });
  expect(await failureOf(criu.restore(options))).toMatchObject({
    ...aborted,
    operation: 'restore',
  });
});

test('a closed client refuses every method', async () => {
  const criu = new Criu({ path: '/nonexistent' });
  await criu.close();
  await criu.close();
  const closed = (operation: string) => ({ code: 'ERR_CRIU_CLOSED', operation });
  expect(await failureOf(criu.version())).toMatchObject(closed('version'));
  expect(await failureOf(criu.dump(12, {}))).toMatchObject(closed('dump'));
  expect(await failureOf(criu.session())).toMatchObject(closed('session'));
});

test.each<Bad>([
  ['options', null],
  ['options', 'criu'],
  ['paht', { paht: '/a' }],
  ['path', { path: '' }],
  ['path', { path: 5 }],
  ['prewarm', { prewarm: -1 }],
  ['prewarm', { prewarm: 65 }],
  ['prewarm', { prewarm: true }],
  ['defaults', { defaults: null }],
  ['defaults', { defaults: 'none' }],
])('new Criu refuses %s in %o', async (option, options) => {
  const error = await failureOf(() => new Criu(options as object));
  expect(error).toMatchObject(wrong('new Criu', option));
});
