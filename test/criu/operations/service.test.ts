import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CriuError } from '../../../src/errors.ts';
import { Criu, type Hooks, type RestoreOptions, spawnCheckpointable } from '../../../src/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { type CriuService, openToOthers, startCriuService } from '../../helpers/criu-service.ts';
import { failureOf } from '../../helpers/failures.ts';
import {
  client,
  killAfterTest,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
} from '../../helpers/workload.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

/** A client of a service, and that service. */
async function served(): Promise<{ criu: Criu; service: CriuService }> {
  const service = await startCriuService();
  const criu = new Criu({ socket: service.socket });
  onTestFinished(() => criu.close());
  return { criu, service };
}

/** The criu that traces a process. */
function tracerOf(pid: number): number {
  return Number(/^TracerPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** The sockets of this process. */
function ownSockets(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).sort();
}

describe('over a criu service', () => {
  test('version, features and check say the same as the binary', async () => {
    const { criu } = await served();
    const binary = client();
    expect(await criu.version()).toEqual(await binary.version());
    expect(await criu.features()).toEqual(await binary.features());
    await criu.check();
  });

  test('a process is dumped and restored, with hooks, statistics and log', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const imagesDirectory = join(await temporaryDirectory(), 'images');
    const steps: string[] = [];
    const onNotify = ({ script }: { script: string }) => void steps.push(script);
    const dumped = await criu.dump(counter.pid, { imagesDirectory, hooks: { onNotify } });
    expect(dumped).toMatchObject({ pid: counter.pid, imagesDirectory });
    expect(dumped.restored).toBeUndefined();
    expect(dumped.stats.pagesWritten).toBeGreaterThan(10);
    expect(dumped.log?.path).toBe(join(imagesDirectory, 'dump.log'));
    expect(steps).toEqual(['pre-dump', 'query-ext-files', 'post-dump']);
    await counter.ended;

    const restored = await criu.restore({ imagesDirectory });
    expect(restored.pid).toBe(counter.pid);
    expect(restored.stats.pagesRestored).toBeGreaterThan(10);
    await counter.countsOn();
  });

  test('concurrent operations do not disturb each other', async () => {
    const { criu } = await served();
    const counters = await Promise.all(Array.from({ length: 20 }, () => startCounter()));
    await Promise.all(
      counters.map(async ({ pid }) => {
        await criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true });
      }),
    );
    for (const counter of counters) await counter.countsOn();
  });

  test('cpuinfo, a page server, a session and a preflight work', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    await criu.cpuinfoDump({ imagesDirectory });
    await criu.cpuinfoCheck({ imagesDirectory });

    const pages = await temporaryDirectory();
    const server = await criu.pageServer({ imagesDirectory: pages });
    const { address, port } = server as { address: string; port: number };
    const options = { imagesDirectory, leaveRunning: true, pageServer: { address, port } };
    await criu.dump(counter.pid, options);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await readdir(pages)).toContainEqual(expect.stringMatching(/^pages-\d+\.img$/));

    const session = await criu.session();
    expect(session.pid).toBeUndefined();
    const reply = await session.request({ type: 'VERSION' });
    expect(reply.version?.major_number).toBe((await criu.version()).major);
    await session.close();
    expect(await session.exited).toEqual({ code: null, signal: null });
    const findings = await criu.preflight(counter.pid);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  test('a hook that throws makes CRIU roll back; exit and stderr of criu are unknown', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const cause = new Error('refused here');
    const hooks = {
      postDump() {
        throw cause;
      },
    };
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(criu.dump(counter.pid, { imagesDirectory, hooks }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running', cause });
    expect(error).not.toHaveProperty('exit');
    expect(error).not.toHaveProperty('stderr');
    await counter.countsOn();
  });

  test('a failure has its cause from the log', async () => {
    const { criu } = await served();
    const error = await failureOf(criu.restore({ imagesDirectory: await temporaryDirectory() }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'gone' });
    expect(error.message).toContain('inventory.img');
  });
});

describe('a cancelled operation over a service', () => {
  test('has its next step refused, and CRIU rolls back', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const controller = new AbortController();
    const queryExtFiles = () => {
      controller.abort();
      return [];
    };
    const imagesDirectory = await temporaryDirectory();
    const hooks = { queryExtFiles };
    const given = { imagesDirectory, hooks, signal: controller.signal };
    const error = await failureOf(criu.dump(counter.pid, given));
    expect(error).toMatchObject({
      code: 'ERR_CRIU_ABORTED',
      cancelled: 'refused',
      workload: 'running',
    });
    await counter.countsOn();
  });

  test('is disconnected after the grace period, and the processes continue', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const before = ownSockets();
    const cancelling = new AbortController();
    let continued: Promise<void> | undefined;
    const queryExtFiles = () => {
      const pid = tracerOf(counter.pid);
      process.kill(pid, 'SIGSTOP');
      cancelling.abort();
      // criu notices the closed connection as soon as it runs.
      continued = waitFor(() => isDeepStrictEqual(ownSockets(), before), 'it is disconnected').then(
        () => void process.kill(pid, 'SIGCONT'),
      );
      return [];
    };
    const imagesDirectory = await temporaryDirectory();
    const limits = { signal: cancelling.signal, gracePeriodMs: 200 };
    const error = await failureOf(
      criu.dump(counter.pid, { imagesDirectory, hooks: { queryExtFiles }, ...limits }),
    );
    await continued;
    expect(error).toMatchObject({
      code: 'ERR_CRIU_ABORTED',
      cancelled: 'disconnected',
      workload: 'running',
    });
    expect(error.message).toContain(
      'the connection to the criu service was closed after 200 ms (the processes run on',
    );
    await counter.countsOn();
  });

  test('reports stopped processes if criu does not release them', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const cancelling = new AbortController();
    let stopped = 0;
    const queryExtFiles = () => {
      stopped = tracerOf(counter.pid);
      process.kill(stopped, 'SIGSTOP');
      cancelling.abort();
      return [];
    };
    const imagesDirectory = await temporaryDirectory();
    const limits = { signal: cancelling.signal, gracePeriodMs: 100 };
    const error = await failureOf(
      criu.dump(counter.pid, { imagesDirectory, hooks: { queryExtFiles }, ...limits }),
    );
    expect(error).toMatchObject({ cancelled: 'disconnected', workload: 'stopped' });
    process.kill(stopped, 'SIGCONT');
    await counter.countsOn();
  });

  test('reports a killed criu, and rolls back what it can', async () => {
    const { criu } = await served();
    const counter = await startCounter();
    const postDump = async () => {
      process.kill(tracerOf(counter.pid), 'SIGKILL');
      await sleep(1000);
    };
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(criu.dump(counter.pid, { imagesDirectory, hooks: { postDump } }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'running', leftovers: [] });
    expect(error.message).toContain('the criu service closed the connection without a reply');
    await counter.countsOn();
  });
});

describe('a service refuses by name, before anything is sent:', () => {
  const socket = '/nonexistent/criu.sock';
  const images = { imagesDirectory: '/nonexistent/images' };
  const criu = new Criu({ socket });

  test.each<[string, RestoreOptions]>([
    ['inheritFd', { inheritFd: { 'pipe:[1]': 0 } }],
    ['asChild', { asChild: true }],
    ['shellJob', { shellJob: true }],
  ])('the option %s of a restore', async (option, options) => {
    const error = await failureOf(criu.restore({ ...images, ...options }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
    expect(error.message).toMatch(
      new RegExp(`^restore: option ${option} does not work over a criu service: `),
    );
  });

  test('a connection to a page server', async () => {
    const given = { ...images, pageServer: { fd: 0 } };
    for (const operate of [
      () => criu.dump(1, given),
      () => criu.pageServer(given),
      () => criu.iterate(1, given),
    ]) {
      expect(await failureOf(operate)).toMatchObject({
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        option: 'pageServer.fd',
      });
    }
  });

  test('descriptors of a session', async () => {
    const error = await failureOf(criu.session({ descriptors: { 4: 0 } }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'descriptors' });
  });

  test('operations that need the binary', async () => {
    const operations = {
      lazyDump: () => criu.lazyDump(1, images),
      lazyPages: () => criu.lazyPages(images),
      lazyRestore: () => criu.lazyRestore(images),
      iterate: () => criu.iterate(1, { ...images, lazyPages: true }),
    };
    for (const [name, operate] of Object.entries(operations)) {
      const error = await failureOf(operate as () => Promise<unknown>);
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'socket' });
      expect(error.message).toMatch(new RegExp(`^${name}: not possible over a criu service: `));
    }
  });

  test('a path or a pool together with the socket', () => {
    for (const other of [{ path: '/usr/sbin/criu' }, { prewarm: 1 }]) {
      const [option] = Object.keys(other);
      expect(() => new Criu({ socket, ...other })).toThrow(
        expect.objectContaining({ code: 'ERR_CRIU_INVALID_ARGUMENT', option }),
      );
    }
  });
});

test('a missing service is ERR_CRIU_NOT_FOUND with its path', async () => {
  const socket = join(await temporaryDirectory(), 'none.socket');
  const error = await failureOf(new Criu({ socket }).version());
  expect(error).toMatchObject({ code: 'ERR_CRIU_NOT_FOUND', operation: 'version' });
  expect(error.message).toContain(`cannot connect to the criu service at ${socket}: `);
});

describe('as another user', () => {
  const uid = 65534;

  /** Calls a method in a process of that user. */
  async function call(
    { socket }: CriuService,
    method: string,
    ...args: readonly unknown[]
  ): Promise<{ result?: unknown; error?: CriuError }> {
    await buildLibrary();
    const script = fixture('service-client.mjs');
    const { stdout } = await execa(
      process.execPath,
      [script, socket, method, ...args.map((arg) => JSON.stringify(arg))],
      { uid, gid: uid },
    );
    return JSON.parse(stdout);
  }

  test('version, features and check work', async () => {
    const { criu, service } = await served();
    await openToOthers(service);
    expect((await call(service, 'version')).result).toEqual(await criu.version());
    expect((await call(service, 'features')).result).toEqual(await criu.features());
    expect(await call(service, 'check')).toEqual({ result: null });
  });

  test('a socket that the user may not use is ERR_CRIU_NO_PERMISSION', async () => {
    const { service } = await served();
    await openToOthers(service);
    await chmod(service.socket, 0o600);
    const { error } = await call(service, 'version');
    expect(error).toMatchObject({ code: 'ERR_CRIU_NO_PERMISSION' });
  });

  test('a dump works if criu has CAP_SYS_RESOURCE, and otherwise the error names it', async () => {
    const { service } = await served();
    await openToOthers(service);
    const directory = await temporaryDirectory();
    await chmod(directory, 0o777);
    const program = await startProgram('setpriv', [
      ...['--reuid', String(uid), '--regid', String(uid), '--clear-groups', 'sleep', '1000'],
    ]);
    await waitFor(
      async () => (await stat(`/proc/${program.pid}`)).uid === uid,
      'the program belongs to the other user',
    );
    const imagesDirectory = join(directory, 'images');
    const given = { imagesDirectory, leaveRunning: true };
    const { result, error } = await call(service, 'dump', program.pid, given);
    const capabilities = /^CapEff:\s*(\w+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
    if ((BigInt(`0x${capabilities}`) >> 24n) % 2n === 1n) {
      expect(result).toMatchObject({ pid: program.pid });
      return;
    }
    expect(error, JSON.stringify(error)).toMatchObject({
      code: 'ERR_CRIU_NO_PERMISSION',
      workload: 'running',
    });
    expect(error?.message).toContain('criu lacks the capability CAP_SYS_RESOURCE');
  });
});

describe('a program that dumps itself', () => {
  async function start(leaveRunning: boolean, env: Record<string, string> = {}) {
    await buildLibrary();
    const { criu, service } = await served();
    const [output, imagesDirectory] = [
      join(await temporaryDirectory(), 'output'),
      await temporaryDirectory(),
    ];
    // Node uses io_uring, which CRIU cannot dump.
    const program = await spawnCheckpointable(
      process.execPath,
      [fixture('self-dump.mjs'), service.socket, imagesDirectory, String(leaveRunning)],
      { stdout: output, stderr: output, env: { ...process.env, ...env } },
    );
    killAfterTest(program.pid);
    const printed = async () => {
      await vi.waitFor(async () => expect(await readFile(output, 'utf8')).toMatch(/\n/), 30_000);
      return JSON.parse(await readFile(output, 'utf8'));
    };
    return { criu, imagesDirectory, output, program, printed };
  }

  test('continues with leaveRunning, and then has its images on the disk', async () => {
    const log = join(await temporaryDirectory(), 'states');
    const spy = {
      LD_PRELOAD: await compileFixture('fsync-spy'),
      FSYNC_PID: 'self',
      FSYNC_LOG: log,
    };
    const { program, printed } = await start(true, spy);
    const result = await printed();
    expect(result).toEqual({ pid: program.pid, pagesWritten: expect.any(Number) });
    expect(await readFile(log, 'utf8')).toMatch(/^[RSD]{5,}$/);
  });

  test('is killed without leaveRunning, and its restored copy learns that it was restored', async () => {
    const { criu, imagesDirectory, output, program, printed } = await start(false);
    await program.exited;
    expect(await readFile(output, 'utf8')).toBe('');
    await criu.restore({ imagesDirectory });
    expect(await printed()).toMatchObject({ pid: program.pid, restored: true });
  });

  test('takes no hooks, and has no finding for being in the tree', async () => {
    const { criu } = await served();
    const imagesDirectory = await temporaryDirectory();
    class OfClass implements Hooks {
      preDump() {}
    }
    for (const hooks of [{ preDump() {} }, new OfClass()]) {
      const error = await failureOf(criu.dump(process.pid, { imagesDirectory, hooks }));
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'hooks' });
    }
    const codes = (await criu.preflight(process.pid)).map(({ code }) => code);
    expect(codes).not.toContain('CALLER_IN_TREE');
  });
});
