import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Criu, LazyDumpOptions, LazySource, TlsOptions } from '../../../src/index.ts';
import { Authority, HERE, tls } from '../../helpers/certificates.ts';
import { startCounting } from '../../helpers/checkpoints.ts';
import { expectIntact } from '../../helpers/expect-intact.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LazyDestination } from '../../helpers/lazy-destination.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { rulesIn } from '../../helpers/network-rules.ts';
import { children, type Holdings, holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn } from '../../helpers/sample.ts';
import { type SlowLink, slowLink } from '../../helpers/slow-link.ts';
import { takePid } from '../../helpers/take-pid.ts';
import {
  client,
  isAlive,
  killAfterTest,
  processState,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** A lazy source for the faults. */
interface Scene {
  readonly source: LazySource;
  readonly criu: Criu;
  readonly controller: AbortController;
  /** The pid of the criu that serves. */
  readonly serving: number;
}

/** More memory than a link lets through together with what the buffers of its sockets take, 36 MiB at most. */
const [MUCH_MIB, LINK_MIB] = [96, 8];
/** Long enough for everything that must succeed before the deadline. */
const DEADLINE_MS = 15_000;
const ends: readonly {
  readonly fault: string;
  readonly act: (scene: Scene) => unknown;
  readonly code: string;
  readonly message: RegExp;
  readonly options?: LazyDumpOptions;
}[] = [
  {
    fault: "the source's criu killed",
    act: ({ serving }) => process.kill(serving, 'SIGKILL'),
    code: 'ERR_CRIU_EOF',
    message: /criu.*killed/,
  },
  {
    fault: 'the lazy dump aborted by its signal',
    act: ({ controller }) => controller.abort(new Error('enough')),
    code: 'ERR_CRIU_ABORTED',
    message: /aborted/,
  },
  {
    fault: 'the deadline of the lazy dump passed',
    act: () => {},
    code: 'ERR_CRIU_TIMEOUT',
    message: /deadline|not done within/,
  },
  {
    fault: 'the source closed',
    act: ({ source }) => source.close(),
    code: 'ERR_CRIU_CLOSED',
    message: /closed/,
  },
  {
    fault: 'the client of the source closed',
    act: ({ criu }) => criu.close(),
    code: 'ERR_CRIU_CLOSED',
    message: /closed/,
  },
];

describe('before a page was fetched, the original runs on after', () => {
  const what = 'faults of a lazy dump before a page was fetched';
  test.each(oneIn(5, what, ends))('$fault', async ({ fault, act, code, message }) => {
    const scene = await serve(fault, 16);
    const { source, memory, before } = scene;
    await act(scene);
    expect(await failureOf(source.done)).toMatchObject({
      code,
      message: expect.stringMatching(message),
      pid: memory.pid,
      workload: 'running',
    });
    await memory.verify();
    await memory.writesOn();
    expect(await holdings()).toEqual(before);
    await source.close();
    await noteFault('lazy pages', {
      fault: `${fault}, before a page was fetched`,
      error: code,
      workload: 'runs on at the source',
      left: 'nothing',
    });
  });

  test('resume()', async () => {
    const { source, memory, before } = await serve('', 16);
    await source.resume();
    expect(await failureOf(source.done)).toMatchObject({
      code: 'ERR_CRIU_ABORTED',
      workload: 'running',
    });
    await memory.verify();
    expect(await holdings()).toEqual(before);
  });

  test('discard() kills the original', async () => {
    const { source, memory, before } = await serve('', 16);
    await source.discard();
    await waitGone(memory.pid);
    // The original did not run in between.
    expect(await failureOf(source.done)).toMatchObject({
      code: 'ERR_CRIU_ABORTED',
      workload: 'stopped',
    });
    expect((await holdings()).descriptors).toEqual(before.descriptors);
  });

  test('an error of statusReady', async () => {
    const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 2000 });
    const before = await holdings();
    const cause = new Error('not today');
    const hooks = {
      statusReady() {
        throw cause;
      },
    };
    const imagesDirectory = await temporaryDirectory();
    const lazy = client().lazyDump(memory.pid, { imagesDirectory, hooks });
    expect(await failureOf(lazy)).toMatchObject({
      code: 'ERR_CRIU_HOOK',
      cause,
      workload: 'running',
    });
    await memory.verify();
    expect(await holdings()).toEqual(before);
  });
});

describe('while pages are outstanding, the original stays stopped and the copy is killed after', () => {
  const cases = [
    ...ends,
    ...(
      [
        ['the connection cut', ({ way }) => way.cut()],
        ["the destination's daemon killed", ({ destination }) => destination.killDaemon('SIGKILL')],
        ["the destination's host crashed", ({ destination }) => destination.crash()],
      ] as readonly [string, (scene: Moving) => unknown][]
    ).map(([fault, act]) => ({
      fault,
      act: act as (scene: Scene) => unknown,
      code: 'ERR_CRIU_LAZY_PAGES',
      message: /the connection to the destination broke off: \d+ of \d+ pages were not fetched/,
    })),
  ];
  const what = 'faults of a lazy dump while pages are outstanding';
  test.each(oneIn(5, what, cases, 1))('$fault', async ({ fault, act, code, message }) => {
    const scene = await move(fault);
    const { source, memory, destination, before } = scene;
    await act(scene);
    expect(await failureOf(source.done)).toMatchObject({
      code,
      message: expect.stringMatching(message),
      pid: memory.pid,
      workload: 'stopped',
    });
    expect(await processState(memory.pid)).toBe('T');
    if (!fault.includes('crashed')) {
      scene.way.widen();
      expect(await destination.pagesFailed()).toMatchObject({
        code: 'ERR_CRIU_LAZY_PAGES',
        workload: 'gone',
      });
      expect(await destination.isAlive()).toBe(false);
    }
    expect(await processState(memory.pid)).toBe('T');
    await source.resume();
    await memory.verifyOriginal();
    scene.way.cut();
    await expectNoMoreThan(before);
    await noteFault('lazy pages', {
      fault: `${fault}, while pages are outstanding`,
      error: `${code} at the source, ERR_CRIU_LAZY_PAGES at the destination`,
      workload: 'stopped at the source, until `resume()` or `discard()`; killed at the destination',
      left: 'nothing',
    });
  });

  test('the connection cut, with TLS', async () => {
    const authority = await Authority.create('Test authority');
    const { source, memory, destination, way } = await move('', {
      atSource: tls(authority, await authority.issue(HERE)),
      atDestination: tls(authority, await authority.issue(HERE)),
    });
    way.cut();
    const ends = { code: 'ERR_CRIU_LAZY_PAGES', workload: 'stopped' };
    expect(await failureOf(source.done)).toMatchObject(ends);
    expect(await destination.pagesFailed()).toMatchObject({ ...ends, workload: 'gone' });
    await source.resume();
    await memory.verifyOriginal();
  });

  test('the restored process ends early', async () => {
    const { source, memory, destination, way } = await move('');
    await destination.kill('SIGKILL');
    way.widen();
    expect(await failureOf(source.done)).toMatchObject({
      code: 'ERR_CRIU_LAZY_PAGES',
      workload: 'stopped',
      message: expect.stringMatching(/closed its connection.*\d+ of \d+ pages were not fetched/),
    });
    await source.discard();
    await waitGone(memory.pid);
    await noteFault('lazy pages', {
      fault: 'the restored process ends while pages are outstanding',
      error: 'ERR_CRIU_LAZY_PAGES at the source, unless `confirm` says that all is well',
      workload: 'stopped at the source, until `resume()` or `discard()`',
      left: 'nothing',
    });
  });

  test('resume() resumes the original', async () => {
    const { source, memory, destination, way } = await move('');
    await source.resume();
    expect(await failureOf(source.done)).toMatchObject({ code: 'ERR_CRIU_ABORTED' });
    way.widen();
    expect(await destination.pagesFailed()).toMatchObject({ workload: 'gone' });
    await memory.verifyOriginal();
  });

  test('discard() kills the original, too', async () => {
    const { source, memory, destination, way } = await move('');
    await source.discard();
    await waitGone(memory.pid);
    way.widen();
    expect(await destination.pagesFailed()).toMatchObject({ workload: 'gone' });
    await expect(source.resume()).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  });

  test('a second restore fails without disturbing the first', async () => {
    const { source, memory, destination, way, imagesDirectory } = await move('');
    const second = await LazyDestination.start();
    const { address, port } = source;
    const workDirectory = await temporaryDirectory();
    const given = { imagesDirectory, workDirectory, pageServer: { address, port } };
    expect(await second.failure(given)).toMatchObject({
      code: 'ERR_CRIU_LAZY_PAGES',
      workload: 'gone',
      message: expect.stringContaining(`${address}:${port}`),
    });
    way.widen();
    await destination.pagesDone();
    await source.done;
    await waitGone(memory.pid);
    await memory.verify(() => destination.kill('SIGUSR1'));
    await noteFault('lazy pages', {
      fault: 'a second restore from the same source',
      error: 'ERR_CRIU_LAZY_PAGES of the second',
      workload: 'at the first destination, undisturbed',
      left: 'nothing',
    });
  });
});

describe('a process that reuses the pid of the original is left alone', () => {
  /** Checks that a source whose original has ended refuses to act on its pid. */
  async function expectLeftAlone({ source, memory }: Scene & { memory: { pid: number } }) {
    await waitGone(memory.pid);
    await takePid(memory.pid);
    process.kill(memory.pid, 'SIGSTOP');
    await waitFor(async () => (await processState(memory.pid)) === 'T', 'the other is stopped');
    for (const way of ['resume', 'discard'] as const) {
      await expect(source[way]()).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
    }
    expect(await processState(memory.pid)).toBe('T');
  }

  test('after the original has ended normally', async () => {
    const scene = await moved({});
    await scene.source.done;
    await expectLeftAlone(scene);
  });

  test('after the original was killed by others', async () => {
    const scene = await move('');
    scene.way.cut();
    expect(await failureOf(scene.source.done)).toMatchObject({ workload: 'stopped' });
    process.kill(scene.memory.pid, 'SIGKILL');
    await expectLeftAlone(scene);
  });

  test('after the original was discarded', async () => {
    const scene = await serve('', 16);
    await scene.source.discard();
    await expectLeftAlone(scene);
  });
});

describe('a stopped criu is killed after the grace period of', () => {
  const ways = [
    ['close', 'ERR_CRIU_CLOSED', 'running'],
    ['resume', 'ERR_CRIU_ABORTED', 'running'],
    ['discard', 'ERR_CRIU_ABORTED', 'stopped'],
  ] as const;
  const what = 'ways to end the source of a lazy dump whose criu is stopped';

  test.each(oneIn(5, `${what}, before a page was fetched`, ways))(
    '%s() before a page was fetched',
    async (way, code, workload) => {
      const { source, memory, serving, before } = await serve('', 16, { gracePeriodMs: 100 });
      process.kill(serving, 'SIGSTOP');
      await source[way]();
      expect(await failureOf(source.done)).toMatchObject({ code, workload });
      if (way === 'discard') await waitGone(memory.pid);
      else await memory.verify();
      expect((await holdings()).descriptors).toEqual(before.descriptors);
    },
  );

  test.each(oneIn(5, `${what}, while pages are outstanding`, ways, 1))(
    '%s() while pages are outstanding',
    async (way) => {
      const {
        source,
        memory,
        serving,
        destination,
        way: narrow,
      } = await move('', {
        atSource: { gracePeriodMs: 100 },
      });
      process.kill(serving, 'SIGSTOP');
      await source[way]();
      const workload = way === 'resume' ? 'running' : 'stopped';
      expect(await failureOf(source.done)).toMatchObject({ workload });
      narrow.widen();
      expect(await destination.pagesFailed()).toMatchObject({ workload: 'gone' });
      if (way === 'close') {
        expect(await processState(memory.pid)).toBe('T');
        await source.resume();
      }
      if (way === 'discard') await waitGone(memory.pid);
      else await memory.verifyOriginal();
    },
  );
});

describe('when every page was fetched', () => {
  test('the original is resumed if confirm() returns false', async () => {
    const asked: unknown[] = [];
    const { source, memory } = await moved({
      confirm: async (progress) => {
        asked.push(progress);
        return false;
      },
    });
    expect(await failureOf(source.done)).toMatchObject({
      code: 'ERR_CRIU_LAZY_PAGES',
      workload: 'running',
      message: expect.stringContaining('confirm'),
    });
    const { pages } = source.progress;
    expect(asked).toEqual([{ pages, pagesFetched: pages }]);
    await memory.verifyOriginal();
  });

  test('the original is resumed if confirm() throws', async () => {
    const cause = new Error('the copy is silent');
    const confirm = () => {
      throw cause;
    };
    const { source, memory } = await moved({ confirm });
    expect(await failureOf(source.done)).toMatchObject({
      code: 'ERR_CRIU_HOOK',
      cause,
      workload: 'running',
      message: expect.stringContaining('the copy is silent'),
    });
    await memory.verifyOriginal();
  });

  test('the original ends if confirm() returns true', async () => {
    const { source, memory } = await moved({ confirm: () => true });
    const { pages, pagesFetched } = await source.done;
    expect(pagesFetched).toBe(pages);
    await waitGone(memory.pid);
    await expect(source.resume()).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
    await expect(source.discard()).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
    await source.close();
  });
});

const locks = ['iptables', 'nftables'] as const;
test.each(oneIn(2, 'locks of a connection during a lazy dump', locks, 1))(
  'a TCP connection locked by %s continues after a failed lazy dump',
  async (networkLock) => {
    const namespace = await networkNamespace();
    const through = ['nsenter', `--net=${namespace}`];
    const counter = await startCounting('patient', ['16'], through);
    const options = { tcpEstablished: true, networkLock };
    const before = await holdings();
    for (const way of ['close', 'resume', 'kill'] as const) {
      const others = await children();
      const imagesDirectory = await temporaryDirectory();
      const source = await client().lazyDump(counter.pid, { ...options, imagesDirectory });
      if (way === 'kill') process.kill(await theOneBeside(others), 'SIGKILL');
      else await source[way]();
      expect(await failureOf(source.done)).toMatchObject({ workload: 'running' });
      await counter.countsOn();
      expect(await rulesIn(namespace)).toEqual([]);
    }
    // A restore would use the network namespace of this process.
    await expectIntact(client(), counter, before, options, false);
  },
);

test('criu keeps the original frozen if the caller of a lazy dump is killed', async () => {
  const memory = await startMemoryWorkload({ heapMiB: MUCH_MIB, hotMiB: 1, pagesPerSecond: 2000 });
  const [caller, destination] = [await LibraryProcess.start(), await LazyDestination.start()];
  const imagesDirectory = await temporaryDirectory();
  const serving = caller.ask<{ address: string; port: number; criu: number }>('lazyDump', {
    pid: memory.pid,
    imagesDirectory,
  });
  const { criu, ...source } = await serving;
  killAfterTest(criu);
  const way = await slowLink(source, LINK_MIB);
  const { address, port } = way;
  await destination.restore({ imagesDirectory, pageServer: { address, port } });
  await way.full;
  process.kill(caller.pid, 'SIGKILL');
  await caller.ended;
  way.widen();
  expect(await destination.pagesFailed()).toMatchObject({
    code: 'ERR_CRIU_LAZY_PAGES',
    workload: 'gone',
  });
  expect(await destination.isAlive()).toBe(false);
  expect(await isAlive(criu)).toBe(true);
  expect(await processState(memory.pid)).toMatch(/[Tt]/);
  process.kill(criu, 'SIGKILL');
  await waitFor(async () => !(await isAlive(criu)), 'criu is dead');
  await waitFor(async () => (await processState(memory.pid)) === 'T', 'the original is stopped');
  process.kill(memory.pid, 'SIGCONT');
  await memory.verifyOriginal();
  await noteFault('lazy pages', {
    fault: 'the caller of a lazy dump killed',
    error: 'none: the caller is gone; the destination fails with ERR_CRIU_LAZY_PAGES',
    workload: 'stopped at the source',
    left: 'criu, which holds the original and has to be killed; then SIGCONT lets the original run',
  });
});

test('lazyDump() freezes nothing if criu cannot have large pipes', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 4, hotMiB: 1, pagesPerSecond: 2000 });
  const limit = join(await temporaryDirectory(), 'pipe-max-size');
  await writeFile(limit, '1048576\n');
  // In a mount namespace of its own: other tests need large pipes.
  const script = `mount --bind ${limit} /proc/sys/fs/pipe-max-size && exec "$@"`;
  const caller = await LibraryProcess.start([
    ...['setpriv', '--bounding-set', '-sys_resource', '--inh-caps', '-sys_resource'],
    ...['unshare', '--mount', 'sh', '-c', script, 'sh'],
  ]);
  const imagesDirectory = await temporaryDirectory();
  const findings = await caller.ask('findings', { pid: memory.pid, lazyPages: true });
  const small = expect.stringContaining('fs.pipe-max-size is 1048576');
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'NO_LAZY_PAGES', severity: 'error', message: small }),
  );
  expect(await caller.failure('lazyDump', { pid: memory.pid, imagesDirectory })).toMatchObject({
    code: 'ERR_CRIU_NO_LAZY_PAGES',
    message: expect.stringMatching(/sysctl -w fs\.pipe-max-size=4194304/),
  });
  expect(await readdir(imagesDirectory)).toEqual([]);
  await memory.writesOn();
});

/** Starts the lazy source of a memory workload. */
async function serve(fault: string, heapMiB: number, given: Partial<LazyDumpOptions> = {}) {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB, hotMiB: 1, pagesPerSecond: 2000 });
  const before = await holdings();
  const imagesDirectory = await temporaryDirectory();
  const controller = new AbortController();
  const source = await criu.lazyDump(memory.pid, {
    ...given,
    imagesDirectory,
    signal: controller.signal,
    ...(fault.includes('deadline') && { deadlineMs: DEADLINE_MS }),
  });
  const serving = await theOneBeside(before.children);
  return { criu, memory, before, imagesDirectory, controller, source, serving };
}

type Moving = Scene & { way: SlowLink; destination: LazyDestination };

/** Starts a source whose destination has fetched some of its pages. */
async function move(
  fault: string,
  {
    atSource = {},
    atDestination = {},
  }: { atSource?: Partial<LazyDumpOptions>; atDestination?: { tls?: TlsOptions } } = {},
) {
  const destination = await LazyDestination.start();
  const scene = await serve(fault, MUCH_MIB, atSource);
  const { source, imagesDirectory } = scene;
  const way = await slowLink(source, LINK_MIB);
  const { address, port } = way;
  const pageServer = { address, port };
  await destination.restore({ imagesDirectory, pageServer, ...atDestination });
  await way.full;
  return { ...scene, destination, way };
}

/** Starts a source whose destination has fetched all of its pages. */
async function moved(given: Partial<LazyDumpOptions>) {
  const destination = await LazyDestination.start();
  const scene = await serve('', 16, given);
  const { address, port, imagesDirectory } = scene.source;
  await destination.restore({ imagesDirectory, pageServer: { address, port } });
  await destination.pagesDone();
  return scene;
}

/** Checks that this process holds nothing more than before; a destination may have ended. */
async function expectNoMoreThan(before: Holdings): Promise<void> {
  const { children: left, descriptors } = await holdings();
  expect(before.children).toEqual(expect.arrayContaining([...left]));
  expect(before.descriptors).toEqual(expect.arrayContaining([...descriptors]));
}

/** The only child of this process that is not among these. */
async function theOneBeside(others: readonly number[]): Promise<number> {
  const [pid, ...more] = (await children()).filter((child) => !others.includes(child));
  if (pid === undefined || more.length > 0) throw new Error('there is not exactly one new child');
  return pid;
}
