import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, type CriuError, type CriuOpts, type Hooks } from '../../../src/index.ts';
import { descriptorOf } from '../../../src/options/kinds.ts';
import { rows } from '../../../src/options/table.ts';
import { callWithout, deprivations } from '../../helpers/capabilities.ts';
import {
  countsInOrder,
  dumpedCounter,
  dumpedFamily,
  runningCriu,
  startFamily,
} from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { startOn } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { connection, freePort, ownAddress } from '../../helpers/sockets.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  client,
  isAlive,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** Read before a test changes the environment variables that locate it. */
const working = criuPath();

describe('a missing binary', () => {
  test.each(['/nonexistent/criu', 'no-such-criu-on-any-path', '/etc/passwd/criu'])(
    'is named in the error: %s',
    async (path) => {
      await expectNoDump(path, { code: 'ERR_CRIU_NOT_FOUND' }, path);
    },
  );

  test('can be named by CRIU_PATH, which the option overrides', async () => {
    vi.stubEnv('CRIU_PATH', '/nonexistent/by-environment');
    onTestFinished(() => void vi.unstubAllEnvs());
    const error = await failureOf(new Criu().version());
    expect(error).toMatchObject({ code: 'ERR_CRIU_NOT_FOUND', operation: 'version' });
    expect(error.message).toContain('/nonexistent/by-environment');
    const version = await new Criu({ path: working }).version();
    expect(version.major).toBeGreaterThan(2);
    vi.stubEnv('CRIU_PATH', working);
    expect(await new Criu().version()).toEqual(version);
  });

  test('is searched as criu on PATH', async () => {
    const directory = await temporaryDirectory();
    vi.stubEnv('CRIU_PATH', undefined);
    vi.stubEnv('PATH', directory);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await failureOf(new Criu().version())).toMatchObject({
      code: 'ERR_CRIU_NOT_FOUND',
      message: expect.stringContaining('criu on PATH'),
    });
    await writeFile(join(directory, 'criu'), `#!/bin/sh\nexec ${working} "$@"\n`, {
      mode: 0o700,
    });
    expect(await new Criu().version()).toEqual(await new Criu({ path: working }).version());
  });
});

describe('a program that is not criu', () => {
  test.each(['/bin/cat', '/bin/true', '/bin/false', process.execPath])('%s', async (path) => {
    await expectNoDump(path, { code: 'ERR_CRIU_NOT_CRIU' }, `${path} is not a criu`);
  });

  test('has its own output in the error', async () => {
    const path = await script('echo "I am something else" >&2');
    const error = await failureOf(client({ path }).version());
    expect(error).toMatchObject({
      code: 'ERR_CRIU_NOT_CRIU',
      stderr: 'I am something else',
      exit: { code: 0, signal: null },
    });
    expect(error.message).toContain('I am something else');
  });

  test('cannot be executed', async () => {
    const path = join(await temporaryDirectory(), 'text');
    await writeFile(path, 'a text, and no program', { mode: 0o700 });
    await expectNoDump(path, { code: 'ERR_CRIU_NOT_CRIU' }, path);
  });

  test('sends an invalid message', async () => {
    const path = await script('printf "\\377\\377\\377\\377" >&3; sleep 1');
    await expectNoDump(path, { code: 'ERR_CRIU_NOT_CRIU' }, `${path} is not a criu`);
  });

  test.each(['version', 'features', 'check'] as const)(
    'never answers, and the deadline of %s kills it',
    async (operation) => {
      const path = await script('exec sleep 1000');
      const before = await holdings();
      const limits = { deadlineMs: 300, gracePeriodMs: 100 };
      const error = await failureOf(client({ path })[operation](limits));
      expect(error).toMatchObject({ code: 'ERR_CRIU_TIMEOUT', operation });
      expect(await holdings()).toEqual(before);
    },
  );

  test('never answers, and the deadline of a dump and a restore kills it', async () => {
    const path = await script('exec sleep 1000');
    const counter = await startCounter();
    const { imagesDirectory } = await dumpedCounter(client());
    const before = await holdings();
    const criu = client({ path });
    const limits = { deadlineMs: 300, gracePeriodMs: 100 };
    const elsewhere = await temporaryDirectory();
    for (const call of [
      () => criu.dump(counter.pid, { imagesDirectory: elsewhere, ...limits }),
      () => criu.restore({ imagesDirectory, ...limits }),
    ]) {
      expect(await failureOf(call)).toMatchObject({ code: 'ERR_CRIU_TIMEOUT' });
    }
    expect(await holdings()).toEqual(before);
    await counter.countsOn();
  });
});

test.each(['check', 'preflight', 'dump'] as const)(
  '%s names a missing directory for temporary files',
  async (operation) => {
    // A binary that no other test uses: the features of theirs are already known.
    const path = await script(`exec ${working} "$@"`);
    const { pid } = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    vi.stubEnv('TMPDIR', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());
    const criu = client({ path });
    const needingOne = { imagesDirectory, lazyPages: true, insecure: true };
    const calls = {
      check: () => criu.check(),
      preflight: () => criu.preflight(pid),
      dump: () => criu.dump(pid, needingOne),
    };
    const error = await failureOf(calls[operation]);
    expect(error).toMatchObject({ code: 'ERR_CRIU_SYSTEM', errno: 2 });
    expect(error.message).toContain("mkdtemp '/nonexistent/");
  },
);

describe('no permission', () => {
  test('to run the binary', async () => {
    const path = join(await temporaryDirectory(), 'criu');
    await writeFile(path, '', { mode: 0o600 });
    await expectNoDump(path, { code: 'ERR_CRIU_NO_PERMISSION' }, path);
  });

  test('because it is a directory', async () => {
    const path = await temporaryDirectory();
    await expectNoDump(path, { code: 'ERR_CRIU_NO_PERMISSION' }, path);
  });

  test.each(Object.entries(deprivations))('for %s to dump', async (_, how) => {
    const counter = await startCounter();
    const { imagesDirectory } = await openDirectory();
    const error = await callWithout(how, 'dump', [counter.pid, { imagesDirectory }]);
    expect(error).toMatchObject({
      name: 'CriuError',
      code: 'ERR_CRIU_NO_PERMISSION',
      operation: 'dump',
      workload: 'running',
      pid: counter.pid,
    });
    expect(error.message).toMatch(/CAP_CHECKPOINT_RESTORE.* \(the processes run on\)$/);
    await counter.countsOn();
  });

  test.each(Object.entries(deprivations))('for %s to restore', async (_, how) => {
    const { imagesDirectory } = await openDirectory();
    const error = await callWithout(how, 'restore', [{ imagesDirectory }]);
    expect(error).toMatchObject({
      code: 'ERR_CRIU_NO_PERMISSION',
      operation: 'restore',
      workload: 'gone',
    });
    expect(error.message).toMatch(/CAP_CHECKPOINT_RESTORE.* \(nothing was restored\)$/);
  });
});

describe('a process that cannot be dumped', () => {
  test('because it does not exist', async () => {
    const { pid } = spawnSync('/bin/true');
    const error = await failureOf(
      client().dump(pid, { imagesDirectory: await temporaryDirectory() }),
    );
    expect(error).toMatchObject({
      code: 'ERR_CRIU_NO_SUCH_PROCESS',
      message: `dump of process ${pid}: there is no process ${pid}`,
      workload: 'gone',
      errno: 3,
      pid,
    });
  });

  test('because another process traces it', async () => {
    const criu = client();
    const counter = await startCounter();
    const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
    let error: CriuError | undefined;
    await criu.dump(counter.pid, {
      imagesDirectory: first,
      leaveRunning: true,
      hooks: {
        async postDump() {
          error = await failureOf(criu.dump(counter.pid, { imagesDirectory: second }));
        },
      },
    });
    expect(error).toMatchObject({ code: 'ERR_CRIU_BUSY', workload: 'stopped' });
    expect(error?.message).toContain(
      `another process traces process ${counter.pid}: its tracer is`,
    );
    await counter.countsOn();
  });

  test('because criu is inside its tree', async () => {
    const error = await failureOf(
      client().dump(process.pid, { imagesDirectory: await temporaryDirectory() }),
    );
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
    expect(error.message).toContain('The criu itself is within dumped tree.');
  });
});

describe('the message names the cause of a failed dump, and the option that avoids it', () => {
  type Case = {
    pid: number;
    options?: CriuOpts;
    cause: string | RegExp;
    option?: string;
  };
  const cases: Record<string, () => Promise<Case>> = {
    async 'an established connection'() {
      const [near] = await connection();
      const fd = descriptorOf(near);
      const { pid } = await startOn([fd, fd], await compileFixture('echo'));
      return { pid, cause: 'inet: Connected TCP socket', option: 'tcpEstablished' };
    },
    async 'a unix socket to outside'() {
      const path = join(await temporaryDirectory(), 'socket');
      const fixture = await compileFixture('datagrams');
      await startProgram(fixture, ['receive', path]);
      await waitFor(
        async () => (await readdir(join(path, '..'))).length > 0,
        'the socket is there',
      );
      const { pid } = await startProgram(fixture, ['send', path]);
      await waitFor(async () => (await readText(`/proc/${pid}/comm`)) === 'datagrams\n', 'it runs');
      await waitFor(async () => (await socketsOf(pid)) > 0, 'it has a socket');
      return { pid, cause: 'unix: External socket is used', option: 'externalUnixConnections' };
    },
    async 'a terminal outside'() {
      const { pid } = await startOnTerminal(await compileFixture('counter'), ['/dev/null']);
      return { pid, cause: /tty: Found slave peer index/, option: 'shellJob or orphanPtsMaster' };
    },
    async 'a lock'() {
      const { pid } = await startHolder(['flock']);
      return { pid, cause: 'Some file locks are hold by dumping tasks', option: 'fileLocks' };
    },
    async 'a deleted file that is large'() {
      const { pid, file } = await startHolder(['unlink']);
      const cause = new RegExp(`Can't dump ghost file ${file} of \\d+ size`);
      return { pid, options: { ghostLimit: 1 }, cause, option: 'ghostLimit' };
    },
    async 'a deleted file that has another name'() {
      const { pid, file } = await startHolder([]);
      await link(file, `${file}.other`);
      await unlink(file);
      return { pid, cause: `Can't create link remap for ${file}.`, option: 'linkRemap' };
    },
    async 'no session of its own'() {
      const { members, pid } = await startFamily();
      const children = (await childrenOf(pid)).map(Number);
      expect(members.length).toBeGreaterThan(children.length);
      const [child = 0] = children;
      const cause = `The root process ${child} is not a session leader`;
      return { pid: child, cause, option: 'shellJob' };
    },
    async 'no page server'() {
      const { pid } = await startCounter();
      const port = await freePort(ownAddress);
      const pageServer = { address: ownAddress, port };
      return { pid, options: { pageServer }, cause: `no page server at ${ownAddress}:${port}` };
    },
    async 'a configuration file with an unknown option'() {
      const { pid } = await startCounter();
      const configFile = join(await temporaryDirectory(), 'criu.conf');
      await writeFile(configFile, 'no-such-option\n');
      const cause = `unrecognized option '--no-such-option'; is it the configuration file ${configFile}?`;
      return { pid, options: { configFile }, cause };
    },
    async 'a parent image that is not there'() {
      const { pid } = await startCounter();
      const options = { parentImage: '../no-such-images', trackMem: false };
      return { pid, options, cause: 'Invalid parent image directory provided' };
    },
    async 'a freezer cgroup that is not there'() {
      const { pid } = await startCounter();
      return { pid, options: { freezeCgroup: '/nonexistent' }, cause: /cgroup/ };
    },
    async 'a log file that cannot be made'() {
      const { pid } = await startCounter();
      const workDirectory = await temporaryDirectory();
      await mkdir(join(workDirectory, 'dump.log'));
      return { pid, options: { workDirectory }, cause: /log.*: Is a directory/ };
    },
  };

  test.each(Object.keys(cases))('%s', async (name) => {
    const { pid, options = {}, cause, option } = (await cases[name]?.()) ?? { pid: 0, cause: '' };
    const criu = client();
    await criu.version();
    const before = await holdings();
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(criu.dump(pid, { imagesDirectory, ...options }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', operation: 'dump', pid });
    expect(error.message.startsWith(`dump of process ${pid}: `)).toBe(true);
    expect(error.message).toMatch(cause);
    expect(error.message).not.toContain('\n');
    const hint = option === undefined ? '' : ` [option ${option}]`;
    expect(error.message.endsWith(`${hint} (the processes run on)`)).toBe(true);
    expect(error.workload).toBe('running');
    // CRIU sends its first error instead.
    expect(error.message).not.toContain('rlimit');
    expect(error.exit).toEqual({ code: 1, signal: null });
    expect(await isAlive(pid)).toBe(true);
    expect(await holdings()).toEqual(before);
  });

  test('and the error has all other details', async () => {
    const { pid } = await startHolder(['flock']);
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(client().dump(pid, { imagesDirectory }));
    expect(error.log?.path).toBe(join(imagesDirectory, 'dump.log'));
    const cause =
      'Some file locks are hold by dumping tasks! You can try --file-locks to dump them.';
    expect(error.log?.errors).toContain(cause);
    expect(error.log?.errors.at(-1)).toBe('Dumping FAILED.');
    expect(error.criuMessage).toMatch(/^Error \(criu\/.*\): /);
    expect(typeof error.stderr).toBe('string');
  });

  test('without details if CRIU logs nothing', async () => {
    const { pid } = await startHolder(['flock']);
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(client().dump(pid, { imagesDirectory, logLevel: 0 }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  });

  test('from standard error, if CRIU logs there', async () => {
    const { pid } = await startHolder(['flock']);
    const imagesDirectory = await temporaryDirectory();
    const error = await failureOf(client().dump(pid, { imagesDirectory, logToStderr: true }));
    expect(error.log).toBeUndefined();
    expect(await readdir(imagesDirectory)).not.toContain('dump.log');
    expect(error.message).toContain('Some file locks are hold by dumping tasks!');
    expect(error.message).toContain('[option fileLocks]');
    expect(error.stderr).toContain('Some file locks are hold by dumping tasks!');
  });
});

describe('the message names the cause of a failed restore', () => {
  type Damage = (images: string, pid: number, file: string) => Promise<string | RegExp>;
  const damages: Record<string, Damage> = {
    async 'the images are not there'(images) {
      for (const name of await readdir(images)) await rm(join(images, name));
      return `is ${images} the right directory? It has no inventory.img.`;
    },
    async 'an image is missing'(images, pid) {
      await rm(join(images, `core-${pid}.img`));
      return 'an image file is missing';
    },
    async 'an image is cut off'(images, pid) {
      await truncate(join(images, `core-${pid}.img`), 50);
      return new RegExp(`Read \\d+ bytes while \\d+ expected from .*core-${pid}.img`);
    },
    async 'an image is another kind of file'(images) {
      await writeFile(join(images, 'inventory.img'), 'this is the inventory of a shop');
      return "Magic doesn't match for inventory.img";
    },
    async 'a file is gone that the process had open'(_images, _pid, file) {
      await rm(file);
      return `Can't open file ${file.slice(1)}: No such file or directory`;
    },
    async 'the pid is another process’s'(images, pid) {
      await client().restore({ imagesDirectory: images, asChild: true });
      return `pid ${pid} is in use`;
    },
  };

  test.each(
    Object.keys(damages).flatMap((name) => [[name, false] as const, [name, true] as const]),
  )('%s (asChild: %s)', async (name, asChild) => {
    const criu = client();
    const { counter, file, imagesDirectory } = await dumpedCounter(criu);
    const cause = (await damages[name]?.(imagesDirectory, counter.pid, file)) ?? '';
    const before = await holdings();
    const error = await failureOf(criu.restore({ imagesDirectory, asChild }));
    expect(error).toMatchObject({
      code: name.startsWith('the pid') ? 'ERR_CRIU_PID_BUSY' : 'ERR_CRIU_FAILED',
      operation: 'restore',
      workload: 'gone',
    });
    expect(error.message).toMatch(cause);
    expect(error.message).toMatch(/^restore: [^\n]* \(nothing was restored\)$/);
    expect(error.message).not.toContain('rlimit');
    expect(await holdings()).toEqual(before);
  });

  test('a missing image, if the log has that detail', async () => {
    const criu = client();
    const { counter, imagesDirectory } = await dumpedCounter(criu);
    await rm(join(imagesDirectory, `core-${counter.pid}.img`));
    const error = await failureOf(criu.restore({ imagesDirectory, logLevel: 4 }));
    expect(error.message).toBe(`restore: No core-${counter.pid}.img image (nothing was restored)`);
  });

  test('a missing directory, before anything starts', async () => {
    const error = await failureOf(client().restore({ imagesDirectory: '/nonexistent/images' }));
    expect(error).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'imagesDirectory',
    });
    expect(error).not.toHaveProperty('exit');
    expect(error.message).toContain("'/nonexistent/images'");
  });
});

describe('a feature that this CRIU or kernel lacks', () => {
  test.each([{ trackMem: true }, { parentImage: '../parent' }])('%o', async (options) => {
    const criu = client();
    const { memTrack } = await criu.features();
    const counter = await startCounter();
    const parent = await temporaryDirectory();
    await mkdir(join(parent, 'parent'));
    const imagesDirectory = join(parent, 'images');
    const dump = () => criu.dump(counter.pid, { imagesDirectory, leaveRunning: true, ...options });
    // Without tracking, memory is compared with the parent images, and this directory has none.
    if (memTrack || options.trackMem) {
      expect((await dump()).stats.pagesWritten).toBeGreaterThan(10);
    } else {
      const error = await failureOf(dump);
      expect(error).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
      expect(error).not.toHaveProperty('exit');
      expect(error.message).toContain('without its parent images');
      expect(await readdir(imagesDirectory).catch(() => [])).toEqual([]);
    }
    await counter.countsOn();
  });

  test('an iteration does not start, and creates no directory', async () => {
    const criu = client();
    const { memTrack } = await criu.features();
    const counter = await startCounter();
    const imagesDirectory = join(await temporaryDirectory(), 'images');
    const before = await holdings();
    const options = { imagesDirectory, tracking: 'soft-dirty' } as const;
    const iterate = () => criu.iterate(counter.pid, options);
    if (memTrack) {
      await (await iterate()).close();
    } else {
      expect(await failureOf(iterate)).toMatchObject({
        code: 'ERR_CRIU_NO_MEM_TRACK',
        operation: 'iterate',
        message: expect.stringContaining('CONFIG_MEM_SOFT_DIRTY'),
      });
      expect(existsSync(imagesDirectory)).toBe(false);
    }
    await counter.countsOn();
    expect(await holdings()).toEqual(before);
  });

  test('an option of a newer CRIU is refused by name', async () => {
    const criu = client();
    const { number } = await criu.version();
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    const values: CriuOpts = {
      imageIoMode: 'writeback',
      compress: 0,
      compressAcceleration: 1,
      compressBlockSize: 65536,
      pluginOptions: ['x.y=z'],
      stream: false,
    };
    const newer = rows.flatMap(([, { option, since }]) =>
      option && option in values && since > number ? [option] : [],
    );
    expect(newer.length > 0).toBe(number < 40300);
    for (const option of newer) {
      const given = { imagesDirectory, [option]: values[option] };
      const error = await failureOf(criu.dump(counter.pid, given));
      expect(error).toMatchObject({ code: 'ERR_CRIU_TOO_OLD', option });
      expect(error).not.toHaveProperty('exit');
      expect(error.message).toMatch(
        new RegExp(`^dump: option ${option} needs CRIU 4\\.3.*${working} is \\d`),
      );
    }
    expect(await readdir(imagesDirectory)).toEqual([]);
    await counter.countsOn();
  });
});

describe('a criu that is killed', () => {
  test.each(['preDump', 'queryExtFiles', 'postDump'] as const)(
    'at %s of a dump is reported, and the process continues',
    async (step) => {
      const criu = client();
      await criu.version();
      const counter = await startCounter();
      const imagesDirectory = await temporaryDirectory();
      const before = await holdings();
      const error = await failureOf(
        criu.dump(counter.pid, { imagesDirectory, hooks: killer(step) }),
      );
      expect(error).toMatchObject({
        code: 'ERR_CRIU_EOF',
        operation: 'dump',
        message: `dump of process ${counter.pid}: criu was killed by SIGKILL without a reply (the processes run on)`,
        exit: { code: null, signal: 'SIGKILL' },
        workload: 'running',
        pid: counter.pid,
      });
      expect(error).not.toHaveProperty('cancelled');
      expect(error.log?.path).toBe(join(imagesDirectory, 'dump.log'));
      expect(await holdings()).toEqual(before);
      await counter.countsOn();
      expect(await countsInOrder(counter)).toBe(true);
      await criu.dump(counter.pid, { imagesDirectory });
      await counter.ended;
    },
  );

  describe.each([false, true])('with asChild %s', (asChild) => {
    test.each(['preRestore', 'postRestore'] as const)(
      'at %s of a restore is reported, and nothing is restored',
      async (step) => {
        const criu = client();
        const { counter, imagesDirectory } = await dumpedCounter(criu);
        const before = await holdings();
        const given = { imagesDirectory, asChild };
        const error = await failureOf(criu.restore({ ...given, hooks: killer(step) }));
        expect(error).toMatchObject({
          code: 'ERR_CRIU_EOF',
          message: 'restore: criu was killed by SIGKILL without a reply (nothing was restored)',
          exit: { code: null, signal: 'SIGKILL' },
          workload: 'gone',
        });
        expect(await holdings()).toEqual(before);
        await waitGone(counter.pid);
        await criu.restore(given);
        await counter.countsOn();
        expect(await countsInOrder(counter)).toBe(true);
      },
    );

    test.each(['preResume', 'postResume'] as const)(
      'at %s of a restore is reported, and the process runs',
      async (step) => {
        const criu = client();
        const { counter, imagesDirectory } = await dumpedCounter(criu);
        const error = await failureOf(
          criu.restore({ imagesDirectory, asChild, hooks: killer(step) }),
        );
        expect(error).toMatchObject({
          code: 'ERR_CRIU_EOF',
          message:
            'restore: criu was killed by SIGKILL without a reply (the restored processes run)',
          workload: 'running',
          pid: counter.pid,
        });
        await counter.countsOn();
        expect(await countsInOrder(counter)).toBe(true);
        process.kill(counter.pid, 'SIGKILL');
        await waitGone(counter.pid);
      },
    );

    test('in the restore of a tree leaves none of its processes', async () => {
      const criu = client();
      const { pids, members, imagesDirectory } = await dumpedFamily(criu);
      const given = { imagesDirectory, asChild };
      const error = await failureOf(criu.restore({ ...given, hooks: killer('postRestore') }));
      expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'gone' });
      for (const each of pids) await waitGone(each);
      await criu.restore(given);
      for (const member of members) await member.countsOn();
    });
  });
});

/** Expects a dump with this binary to fail in this way and leave the process alone. */
async function expectNoDump(path: string, expected: object, part: string) {
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const before = await holdings();
  const criu = client({ path });
  for (const [operation, call] of [
    ['version', () => criu.version()],
    ['dump', () => criu.dump(counter.pid, { imagesDirectory })],
  ] as const) {
    const error = await failureOf(call);
    expect(error).toMatchObject({ ...expected, operation });
    expect(error.message).toContain(part);
  }
  expect(await holdings()).toEqual(before);
  expect(await readdir(imagesDirectory)).toEqual([]);
  await counter.countsOn();
}

/** A shell script in place of criu. */
async function script(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'script');
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return path;
}

/** An images directory that every user may write. */
async function openDirectory(): Promise<{ imagesDirectory: string }> {
  const parent = await temporaryDirectory();
  const imagesDirectory = join(parent, 'images');
  await mkdir(imagesDirectory);
  await Promise.all([chmod(parent, 0o777), chmod(imagesDirectory, 0o777)]);
  return { imagesDirectory };
}

/** A program that opens a file and does more with it as its arguments say. */
async function startHolder(deeds: string[]): Promise<{ pid: number; file: string }> {
  const directory = await temporaryDirectory();
  const [file, stdout] = [join(directory, 'held'), join(directory, 'said')];
  const { pid } = await startProgram(await compileFixture('hold'), [file, ...deeds], { stdout });
  await waitFor(async () => (await readText(stdout)) === 'ready\n', 'it holds the file');
  await waitFor(async () => (await readText(`/proc/${pid}/fd/3`)).length > 2, 'it has written');
  return { pid, file };
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

async function childrenOf(pid: number): Promise<string[]> {
  return (await readText(`/proc/${pid}/task/${pid}/children`)).split(' ').filter(Boolean);
}

async function socketsOf(pid: number): Promise<number> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) =>
      // It closes the other descriptors before it executes the program.
      readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''),
    ),
  );
  return links.filter((link) => link.startsWith('socket:')).length;
}

/** A hook that kills criu and never resolves. */
function killer(step: keyof Hooks): Hooks {
  return {
    async [step]() {
      process.kill(await runningCriu(), 'SIGKILL');
      await new Promise(() => {});
    },
  };
}
