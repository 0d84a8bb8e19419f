import { openSync } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CriuOpts, Hooks, Notification } from '../../../src/index.ts';
import {
  countsInOrder,
  dumpedCounter,
  dumpedFamily,
  startTalker,
  steps,
} from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { closeAfterTest } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { namespaceOf, startThrough } from '../../helpers/namespaces.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { oneIn } from '../../helpers/sample.ts';
import {
  client,
  isAlive,
  processState,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

// Resources that are created once for all tests must not count as leaks of one test.
beforeAll(async () => {
  for (const fixture of ['announce', 'counter', 'family', 'talk']) await compileFixture(fixture);
});

test('a dump and a restore call the hook of every step, in order', async () => {
  const criu = client();
  const { counter, options } = await startTalker();
  const imagesDirectory = await temporaryDirectory();
  const { hooks, called } = recordingHooks();
  const expected = ['preDump', 'networkLock', 'queryExtFiles', 'postDump'];

  await criu.dump(counter.pid, { ...options, imagesDirectory, leaveRunning: true, hooks });
  expect(called.splice(0)).toEqual([...expected, 'networkUnlock']);
  await counter.countsOn();

  await criu.dump(counter.pid, { ...options, imagesDirectory, overwrite: true, hooks });
  expect(called.splice(0)).toEqual(expected);
  await waitGone(counter.pid);

  await criu.restore({ ...options, imagesDirectory, hooks });
  expect(called).toEqual([
    'preRestore',
    `setupNamespaces ${counter.pid}`,
    'postSetupNamespaces',
    `postRestore ${counter.pid}`,
    'networkUnlock',
    'preResume',
    'postResume',
  ]);
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);
});

test('onNotify gets every notification before its hook is called', async () => {
  const criu = client();
  const { counter, options } = await startTalker();
  const imagesDirectory = await temporaryDirectory();
  const { hooks, called } = recordingHooks();
  const notified: Notification[] = [];
  const onNotify = async (notification: Notification) => {
    notified.push(notification);
    await sleep(5);
    called.push(notification.script);
  };
  await criu.dump(counter.pid, { ...options, imagesDirectory, hooks: { ...hooks, onNotify } });
  await waitGone(counter.pid);
  await criu.restore({ ...options, imagesDirectory, hooks: { ...hooks, onNotify } });
  const { pid } = counter;
  expect(notified).toEqual([
    { script: 'pre-dump' },
    { script: 'network-lock' },
    { script: 'query-ext-files' },
    { script: 'post-dump' },
    { script: 'pre-restore' },
    { script: 'setup-namespaces', pid },
    { script: 'post-setup-namespaces' },
    { script: 'post-restore', pid },
    { script: 'network-unlock' },
    { script: 'pre-resume' },
    { script: 'post-resume' },
  ]);
  const names = Object.entries(steps).map(([hook, script]) => [script, hook]);
  const hookOf = new Map(names as [string, string][]);
  const own = called.map((name) => name.split(' ')[0] ?? '');
  expect(own).toEqual(notified.flatMap(({ script }) => [script, hookOf.get(script)]));
  await counter.countsOn();
});

test('CRIU waits for hooks, and works between them', async () => {
  const criu = client();
  const { counter, options } = await startTalker();
  const imagesDirectory = await temporaryDirectory();
  let written = '';
  const images = async () => await readdir(written);
  const seen: string[] = [];
  /** Records whether the process counts while CRIU waits for the hook of a step. */
  const counts = async (step: string) => {
    await counter.countsOn();
    seen.push(`${step}: counts`);
  };
  /** Returns whether the process counts. */
  const look = async (step: string) => {
    const before = await counter.count();
    await sleep(60);
    seen.push(`${step}: ${(await counter.count()) > before ? 'counts' : 'does not count'}`);
  };
  const hooks: Hooks = {
    async preDump(directory) {
      written = directory;
      await counts('preDump');
      expect(await images()).not.toContain(`core-${counter.pid}.img`);
    },
    async networkLock() {
      expect(await processState(counter.pid)).toBe('t');
      await look('networkLock');
    },
    async queryExtFiles() {
      expect(await processState(counter.pid)).toBe('t');
      await look('queryExtFiles');
      expect(await images()).not.toContain(`core-${counter.pid}.img`);
      return [];
    },
    async postDump(directory) {
      expect(await processState(counter.pid)).toBe('t');
      await look('postDump');
      expect(directory).toBe(written);
      expect(await images()).toEqual(
        expect.arrayContaining(['inventory.img', 'pages-1.img', `core-${counter.pid}.img`]),
      );
    },
    async preRestore() {
      await look('preRestore');
      expect(await processState(counter.pid)).toBeUndefined();
    },
    async setupNamespaces(pid) {
      await look('setupNamespaces');
      expect(await namespaceOf(pid, 'net')).not.toBe(await namespaceOf('self', 'net'));
      expect(await readlink(`/proc/${pid}/exe`)).not.toBe(await compileFixture('talk'));
    },
    async postSetupNamespaces() {
      await look('postSetupNamespaces');
    },
    async postRestore(pid) {
      await look('postRestore');
      expect(await readlink(`/proc/${pid}/exe`)).toBe(await compileFixture('talk'));
    },
    async networkUnlock() {
      await look('networkUnlock');
    },
    async preResume() {
      expect(await processState(counter.pid)).toBe('t');
      await look('preResume');
    },
    async postResume() {
      await counts('postResume');
    },
  };
  await criu.dump(counter.pid, { ...options, imagesDirectory, hooks });
  await waitGone(counter.pid);
  await criu.restore({ ...options, imagesDirectory, hooks });
  expect(seen).toEqual([
    'preDump: counts',
    'networkLock: does not count',
    'queryExtFiles: does not count',
    'postDump: does not count',
    'preRestore: does not count',
    'setupNamespaces: does not count',
    'postSetupNamespaces: does not count',
    'postRestore: does not count',
    'networkUnlock: does not count',
    'preResume: does not count',
    'postResume: counts',
  ]);
  expect(await countsInOrder(counter)).toBe(true);
});

test('queryExtFiles names a file of another mount namespace, which can be replaced', async () => {
  const criu = client();
  const mountPoint = await temporaryDirectory();
  // It opens a file in a temporary mount namespace and returns to ours with it.
  const script = `mount -t tmpfs none ${mountPoint} && exec 3>>${mountPoint}/file && exec "$@"`;
  const back = ['nsenter', `--mount=/proc/${process.pid}/ns/mnt`];
  const { pid } = await startThrough(
    ['unshare', '--mount', 'sh', '-c', script, 'sh', ...back],
    await compileFixture('announce'),
    ['1'],
  );
  const inside = async () => await readFile(`/proc/${pid}/fd/3`, 'utf8');
  await waitFor(async () => (await inside()).includes('\n'), 'it writes');
  const imagesDirectory = await temporaryDirectory();

  const error = await failureOf(criu.dump(pid, { imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  expect(error.message).toMatch(/Can't lookup mount=\d+ for fd=3 /);

  const mount = /^mnt_id:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/fdinfo/3`, 'utf8'))?.[1];
  const { ino } = await stat(`/proc/${pid}/fd/3`);
  const file = `file[${Number(mount).toString(16)}:${ino.toString(16)}]`;
  await criu.dump(pid, { imagesDirectory, hooks: { queryExtFiles: async () => [file] } });
  await waitGone(pid);

  const replacement = join(await temporaryDirectory(), 'replacement');
  const fd = openSync(replacement, 'a');
  closeAfterTest(fd);
  await criu.restore({ imagesDirectory, inheritFd: { [file]: fd } });
  const written = async () => await readFile(replacement, 'utf8');
  await waitFor(async () => (await written()).split('\n').length > 3, 'it writes on');
  const numbers = [...(await written()).matchAll(/^3 (\d+)$/gm)].map(([, text]) => Number(text));
  expect(numbers[0]).toBeGreaterThan(1);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
});

test.each([[[]], [['file[1:2]', 'file[a:b]']]])(
  'queryExtFiles may answer %j to a dump that needs no file',
  async (files) => {
    const criu = client();
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    await criu.dump(counter.pid, { imagesDirectory, hooks: { queryExtFiles: () => files } });
    await counter.ended;
    await criu.restore({ imagesDirectory });
    await counter.countsOn();
  },
);

describe('a hook that throws makes a dump fail, and the process continues', () => {
  test.each(['preDump', 'networkLock', 'queryExtFiles', 'postDump'] as const)(
    'at %s',
    async (name) => {
      const criu = client();
      await criu.version();
      const { counter, options } = await startTalker();
      const imagesDirectory = await temporaryDirectory();
      const before = await holdings();
      const { hooks, called } = recordingHooks();
      const cause = new Error('refused');
      const error = await failureOf(
        criu.dump(counter.pid, {
          ...options,
          imagesDirectory,
          hooks: { ...hooks, [name]: thrower(cause) },
        }),
      );
      expect(error).toMatchObject({
        code: 'ERR_CRIU_HOOK',
        operation: 'dump',
        pid: counter.pid,
        workload: 'running',
      });
      expect(error).not.toHaveProperty('cancelled');
      expect(error.cause).toBe(cause);
      expect(error.message).toBe(
        `dump of process ${counter.pid}: the hook of ${steps[name]} threw: refused (the processes run on)`,
      );
      // Only the rollback follows.
      const all = ['preDump', 'networkLock', 'queryExtFiles', 'postDump'];
      expect(called.filter((step) => step !== 'networkUnlock')).toEqual(
        all.slice(0, all.indexOf(name)),
      );
      expect(await holdings()).toEqual(before);
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);

      await criu.dump(counter.pid, { ...options, imagesDirectory });
      await counter.ended;
      await criu.restore({ ...options, imagesDirectory });
      await counter.countsOn();
    },
  );

  test('at networkUnlock, when the dump is complete', async () => {
    const { counter, options } = await startTalker();
    const imagesDirectory = await temporaryDirectory();
    const cause = new Error('refused');
    const hooks = { networkUnlock: thrower(cause) };
    const error = await failureOf(
      client().dump(counter.pid, { ...options, imagesDirectory, leaveRunning: true, hooks }),
    );
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running', cause });
    expect(error.message).toContain('the hook of network-unlock threw: refused');
    await counter.countsOn();
  });
});

describe.each([false, true])('a hook that throws in a restore (asChild: %s)', (asChild) => {
  const early = ['preRestore', 'setupNamespaces', 'postSetupNamespaces', 'postRestore'] as const;
  const late = ['networkUnlock', 'preResume', 'postResume'] as const;
  const what = `steps of a restore (asChild: ${asChild}) at which a hook throws`;

  test.each(oneIn(2, `early ${what}`, early, Number(asChild)))(
    'at %s makes the restore fail, and nothing is restored',
    async (name) => {
      const { criu, counter, options } = await dumpedTalker();
      const before = await holdings();
      const { hooks, called } = recordingHooks();
      const cause = new Error('refused');
      const given = { ...options, asChild };
      const error = await failureOf(
        criu.restore({ ...given, hooks: { ...hooks, [name]: thrower(cause) } }),
      );
      expect(error).toMatchObject({
        code: 'ERR_CRIU_HOOK',
        operation: 'restore',
        workload: 'gone',
      });
      expect(error).not.toHaveProperty('cancelled');
      expect(error.cause).toBe(cause);
      expect(error.message).toBe(
        `restore: the hook of ${steps[name]} threw: refused (nothing was restored)`,
      );
      const all = ['preRestore', 'setupNamespaces', 'postSetupNamespaces', 'postRestore'];
      expect(called.map((step) => step.split(' ')[0])).toEqual(all.slice(0, all.indexOf(name)));
      expect(await isAlive(counter.pid)).toBe(false);
      expect(await holdings()).toEqual(before);

      await waitGone(counter.pid);
      await criu.restore(given);
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);
    },
  );

  test.each(oneIn(2, `late ${what}`, late, Number(asChild)))(
    'at %s comes too late, and the error says that the process runs',
    async (name) => {
      const { criu, counter, options } = await dumpedTalker();
      const cause = new Error('refused');
      const error = await failureOf(
        criu.restore({ ...options, asChild, hooks: { [name]: thrower(cause) } }),
      );
      expect(error).toMatchObject({
        code: 'ERR_CRIU_HOOK',
        workload: 'running',
        pid: counter.pid,
        cause,
      });
      expect(error.message).toBe(
        `restore: the hook of ${steps[name]} threw: refused; it was too late to roll back (the restored processes run)`,
      );
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);
      // The caller has no handle to wait for it, but no zombie stays.
      process.kill(counter.pid, 'SIGKILL');
      await waitGone(counter.pid);
    },
  );

  test('leaves no process of a tree', async () => {
    const criu = client();
    const { pids, members, imagesDirectory } = await dumpedFamily(criu);
    const hooks = { postRestore: thrower(new Error('no')) };
    const error = await failureOf(criu.restore({ imagesDirectory, asChild, hooks }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'gone' });
    for (const each of pids) await waitGone(each);
    await criu.restore({ imagesDirectory });
    for (const member of members) await member.countsOn();
  });
});

test.each(['a plain text', undefined, null, { code: 12 }])(
  'the cause is the value that the hook threw: %o',
  async (thrown) => {
    const { counter, imagesDirectory } = await dumpedCounter(client());
    const error = await failureOf(
      client().restore({ imagesDirectory, hooks: { preRestore: thrower(thrown) } }),
    );
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'gone' });
    expect(error.cause).toBe(thrown);
    expect(error).toHaveProperty('cause');
    expect(error.message).toContain(`the hook of pre-restore threw: ${String(thrown)}`);
    expect(await isAlive(counter.pid)).toBe(false);
  },
);

test('an onNotify that throws refuses the step, and the hook of the step is not called', async () => {
  const counter = await startCounter();
  const { hooks, called } = recordingHooks();
  const cause = new Error('no');
  const onNotify = ({ script }: Notification) => {
    if (script === 'post-dump') throw cause;
  };
  const error = await failureOf(
    client().dump(counter.pid, {
      imagesDirectory: await temporaryDirectory(),
      hooks: { ...hooks, onNotify },
    }),
  );
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running', cause });
  expect(called).toEqual(['preDump', 'queryExtFiles']);
  await counter.countsOn();
});

test('a hook may use CRIU itself', async () => {
  const criu = client();
  const [counter, other] = [await startCounter(), await startCounter()];
  const directories = [await temporaryDirectory(), await temporaryDirectory()] as const;
  let version: unknown;
  await criu.dump(counter.pid, {
    imagesDirectory: directories[0],
    hooks: {
      async postDump() {
        version = await criu.version();
        await criu.dump(other.pid, { imagesDirectory: directories[1] });
      },
    },
  });
  expect(version).toEqual(await criu.version());
  await Promise.all([counter.ended, other.ended]);
  for (const imagesDirectory of directories) await criu.restore({ imagesDirectory });
  await Promise.all([counter.countsOn(), other.countsOn()]);
});

/** Hooks for all steps of a dump and a restore here, and a record of the calls. */
function recordingHooks() {
  const called: string[] = [];
  const record = (name: string) => (given?: number | string) => {
    called.push(typeof given === 'number' ? `${name} ${given}` : name);
  };
  const hooks: Hooks = {
    ...Object.fromEntries(Object.keys(steps).map((name) => [name, record(name)])),
    queryExtFiles() {
      called.push('queryExtFiles');
      return [];
    },
  };
  return { hooks, called };
}

/** A hook that throws after a delay. */
function thrower(thrown: unknown): () => Promise<never> {
  return async () => {
    await sleep(5);
    throw thrown;
  };
}

/** A program with a connection that was dumped and has ended. */
async function dumpedTalker() {
  const criu = client();
  const { counter, options } = await startTalker();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { ...options, imagesDirectory });
  await waitGone(counter.pid);
  return { criu, counter, options: { ...options, imagesDirectory } satisfies CriuOpts };
}
