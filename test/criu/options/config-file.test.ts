import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { failureOf } from '../../helpers/failures.ts';
import { childOf, startObstacle } from '../../helpers/obstacle.ts';
import { children } from '../../helpers/own-resources.ts';
import {
  client,
  isAlive,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
} from '../../helpers/workload.ts';

const MIB = 1024 * 1024;

test('a configuration file sets values for which there is no option', async () => {
  const counter = await startCounter();
  await client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    configFile: await configuration('# for tests', 'leave-running  # as it says'),
  });
  await counter.countsOn();
});

test('a configuration file overrides the options, and the options override the environment', async () => {
  const holder = await startGhostHolder();
  const [enough, tooLittle] = [`ghost-limit ${4 * MIB}`, 'ghost-limit 1'];

  expect(await holder.canBeDumped({})).toBe(false);
  expect(await holder.canBeDumped({ ghostLimit: 4 * MIB })).toBe(true);
  expect(await holder.canBeDumped({ ghostLimit: 1, file: enough })).toBe(true);
  expect(await holder.canBeDumped({ ghostLimit: 4 * MIB, file: tooLittle })).toBe(false);
  expect(await holder.canBeDumped({ environment: enough })).toBe(true);
  expect(await holder.canBeDumped({ environment: enough, ghostLimit: 1 })).toBe(false);
  expect(await holder.canBeDumped({ environment: tooLittle, file: enough })).toBe(true);
  expect(await holder.canBeDumped({ home: enough })).toBe(true);
  expect(await holder.canBeDumped({ home: enough, environment: tooLittle })).toBe(false);
  expect(await holder.canBeDumped({ home: tooLittle, environment: enough })).toBe(true);
});

test('a configuration file is read as CRIU reads it: values after =, and options turned off by no-', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const big = await startObstacle('deleted_big', '@/file');
  const configFile = await configuration('ghost-limit=2097152  # enough');
  expect(await criu.preflight(big.pid)).not.toEqual([]);
  expect(await criu.preflight(big.pid, { configFile })).toEqual([]);
  await criu.dump(big.pid, { imagesDirectory, configFile });

  const child = await childOf((await startObstacle('children', '1')).pid);
  const options = { shellJob: true, configFile: await configuration('no-shell-job') };
  expect(await criu.preflight(child, options)).toMatchObject([{ code: 'NOT_SESSION_LEADER' }]);
  const dump = criu.dump(child, { ...options, imagesDirectory: await temporaryDirectory() });
  await expect(dump).rejects.toThrow(/not a session leader/);
});

test('the log is found where a configuration file puts it', async () => {
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const { log } = await client().dump(counter.pid, {
    imagesDirectory,
    leaveRunning: true,
    logFile: 'mine.log',
    configFile: await configuration('log-file "other.log"'),
  });
  expect(log?.path).toBe(join(imagesDirectory, 'other.log'));
  expect(await readdir(imagesDirectory)).toContain('other.log');
  expect(await readdir(imagesDirectory)).not.toContain('mine.log');
});

test('the cause of a failure is read from the log where a configuration file puts it', async () => {
  const holder = await startGhostHolder();
  const dump = client().dump(holder.pid, {
    imagesDirectory: await temporaryDirectory(),
    configFile: await configuration('log-file other.log'),
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining("Can't dump ghost file"),
    log: { path: expect.stringMatching(/other\.log$/) },
  });
});

test('images and statistics are found where a configuration file puts them', async () => {
  const criu = client();
  const counter = await startCounter();
  const [images, work] = [await temporaryDirectory(), await temporaryDirectory()];
  const given = await temporaryDirectory();
  const result = await criu.dump(counter.pid, {
    imagesDirectory: given,
    configFile: await configuration(`images-dir ${images}`, `work-dir "${work}"`),
  });
  expect(result.imagesDirectory).toBe(images);
  expect(result.log?.path).toBe(join(work, 'dump.log'));
  expect(result.stats.pagesWritten).toBeGreaterThan(10);
  expect(await readdir(given)).toEqual([]);
  await counter.ended;

  await criu.restore({ imagesDirectory: images });
  await counter.countsOn();
});

test('a configuration file cannot set the directories that an operation chooses itself', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const configFile = await configuration('images-dir /elsewhere');
  const to = { host: '127.0.0.1', port: 1 };
  for (const [option, refuse] of [
    ['configFile', () => criu.iterate(counter.pid, { imagesDirectory, configFile })],
    ['configFile', () => criu.lazyDump(counter.pid, { imagesDirectory, configFile })],
    [
      'dump.configFile',
      () => criu.migrate(counter.pid, { to, insecure: true, dump: { configFile } }).result,
    ],
  ] as const) {
    expect(await failureOf(refuse)).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
  }
  expect(await readdir(imagesDirectory)).toEqual([]);
});

test('a missing configuration file is refused by name before anything starts', async () => {
  const counter = await startCounter();
  const before = await children();
  const configFile = join(await temporaryDirectory(), 'missing.conf');
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    configFile,
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'configFile',
    message: expect.stringContaining(`ENOENT: no such file or directory, open '${configFile}'`),
  });
  expect(await children()).toEqual(before);
  await counter.countsOn();
});

test('an option that CRIU does not know is reported with its configuration file', async () => {
  const counter = await startCounter();
  const configFile = await configuration('leave-runing');
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    configFile,
  });
  const failure = await dump.catch((error: Error) => error);
  expect(failure).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  expect(failure).toHaveProperty('message', expect.stringContaining("'--leave-runing'"));
  expect(failure).toHaveProperty('message', expect.stringContaining(configFile));
  await counter.countsOn();
});

test('a configuration file that cannot be parsed is an error, and the process continues', async () => {
  const counter = await startCounter();
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    configFile: await configuration('log-file "without an end'),
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_EOF',
    message: expect.stringContaining('Unsupported configuration file format'),
    exit: { code: 1, signal: null },
    workload: 'running',
  });
  await counter.countsOn();
});

test('an unknown option in a file named by the environment is reported', async () => {
  vi.stubEnv('CRIU_CONFIG_FILE', await configuration('leave-runing'));
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(client().version()).rejects.toMatchObject({
    stderr: expect.stringContaining("unrecognized option '--leave-runing'"),
  });
});

/** Writes a configuration file with these lines; it is removed after the test. */
async function configuration(...lines: readonly string[]): Promise<string> {
  const file = join(await temporaryDirectory(), 'criu.conf');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

/** The limit for deleted files, in every way to set it. */
interface Settings {
  readonly ghostLimit?: number;
  readonly file?: string;
  readonly environment?: string;
  readonly home?: string;
}

/** Starts a program with an open deleted file of 2 MiB, more than CRIU's default limit. */
async function startGhostHolder() {
  const directory = await temporaryDirectory();
  const ghost = join(directory, 'ghost');
  await writeFile(ghost, Buffer.alloc(2 * MIB, 'x'));
  const script = 'exec 3<"$0" && rm "$0" && exec sleep 1000';
  const { pid } = await startProgram('/bin/sh', ['-c', script, ghost]);
  await waitFor(async () => !(await readdir(directory)).includes('ghost'), 'the file is deleted');

  async function canBeDumped({ ghostLimit, file, environment, home }: Settings): Promise<boolean> {
    const imagesDirectory = await temporaryDirectory();
    const homeDirectory = await temporaryDirectory();
    vi.stubEnv('CRIU_CONFIG_FILE', environment && (await configuration(environment)));
    vi.stubEnv('HOME', homeDirectory);
    if (home) {
      await mkdir(join(homeDirectory, '.criu'));
      await writeFile(join(homeDirectory, '.criu/default.conf'), `${home}\n`);
    }
    try {
      await client().dump(pid, {
        imagesDirectory,
        leaveRunning: true,
        ...(ghostLimit !== undefined && { ghostLimit }),
        ...(file !== undefined && { configFile: await configuration(file) }),
      });
      expect(await readdir(imagesDirectory)).toContain('ghost-file-1.img');
      return true;
    } catch (error) {
      expect(error).toHaveProperty('message', expect.stringContaining("Can't dump ghost file"));
      expect(await isAlive(pid)).toBe(true);
      return false;
    } finally {
      vi.unstubAllEnvs();
    }
  }
  return { pid, canBeDumped };
}
