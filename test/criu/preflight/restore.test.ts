import { chmod, copyFile, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import {
  type CriuOpts,
  type PreflightFinding,
  preflightRestore,
  type RestoreOptions,
} from '../../../src/index.ts';
import { dumpedCounter } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { CAPABILITY, doctor } from '../../helpers/cpuinfo.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startObstacle } from '../../helpers/obstacle.ts';
import { startRooted } from '../../helpers/rooted.ts';
import { takePid } from '../../helpers/take-pid.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  client,
  killAfterTest,
  startProgram,
  temporaryDirectory,
  waitGone,
} from '../../helpers/workload.ts';

/** Findings without those of descriptors that this test run has inherited and passed on. */
const relevant = (findings: readonly PreflightFinding[]) =>
  findings.filter(({ fd = 0 }) => fd < 100);
const briefly = (findings: readonly PreflightFinding[]) =>
  relevant(findings).map(({ severity, code, message }) => `${severity} ${code}: ${message}`);

/** Dumps an obstacle to a restore, which ends it. */
async function dumpedObstacle(kind: string, argument = '', options: CriuOpts = {}) {
  const criu = client();
  const { pid } = await startObstacle(kind, argument);
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu.dump(pid, { imagesDirectory, ...options });
  await waitGone(pid);
  return { criu, pid, imagesDirectory };
}

test('finds files that are missing or changed, and pids in use', async () => {
  const criu = client();
  const { counter, file, imagesDirectory } = await dumpedCounter(criu);
  const look = async (options: Partial<RestoreOptions> = {}) =>
    relevant(await criu.preflightRestore({ imagesDirectory, ...options }));
  expect(await look()).toEqual([]);
  const subject = `descriptor 3 of process ${counter.pid} (counter) is ${file}, which`;

  const { mode } = await stat(file);
  await chmod(file, (mode & 0o777) ^ 0o020);
  expect(briefly(await look())).toEqual([
    expect.stringMatching(
      new RegExp(`^error FILE_CHANGED: .*${file}, which has mode \\d+ instead`),
    ),
  ]);
  const error = await failureOf(criu.restore({ imagesDirectory }));
  expect(error.message).toMatch(/has bad mode 0.*\[option skipFileRwxCheck\]/);
  expect(relevant(error.findings ?? [])).toMatchObject([{ code: 'FILE_CHANGED' }]);
  expect(await look({ skipFileRwxCheck: true })).toEqual([]);
  await chmod(file, mode & 0o777);

  await rename(file, `${file}.away`);
  expect(briefly(await look())).toEqual([`error FILE_MISSING: ${subject} does not exist`]);
  expect((await failureOf(criu.restore({ imagesDirectory }))).message).toContain("Can't open file");
  await rename(`${file}.away`, file);

  const { ended } = await takePid(counter.pid);
  const found = await preflightRestore(imagesDirectory, { path: criuPath() });
  const [inUse, ...others] = relevant(found);
  expect(others).toEqual([]);
  expect(inUse).toMatchObject({ code: 'PID_IN_USE', severity: 'error', pid: counter.pid });
  const { pid } = counter;
  expect(inUse?.message).toMatch(
    new RegExp(`^id ${pid}, the pid of process ${pid} \\(counter\\), is in use by process ${pid} `),
  );
  expect(await failureOf(criu.restore({ imagesDirectory }))).toMatchObject({
    code: 'ERR_CRIU_PID_BUSY',
  });
  process.kill(pid, 'SIGKILL');
  await ended;
  await waitGone(pid);

  expect(await look()).toEqual([]);
  killAfterTest((await criu.restore({ imagesDirectory })).pid);
  await counter.countsOn();
});

test('finds a program of another size or with another build id', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const program = join(directory, 'counter');
  await copyFile(await compileFixture('counter'), program);
  const { pid } = await startProgram(program, [join(directory, 'numbers')]);
  const imagesDirectory = join(directory, 'images');
  await criu.dump(pid, { imagesDirectory });
  await waitGone(pid);
  const look = async () => briefly(await criu.preflightRestore({ imagesDirectory }));
  expect(await look()).toEqual([]);

  const bytes = await readFile(program);
  const other = Buffer.from(bytes);
  // The note: sizes of name and description, type 3, the name, and the id.
  const note = other.indexOf(Buffer.from('0400000014000000030000000474e5500'.slice(0, 24), 'hex'));
  expect(note).toBeGreaterThan(0);
  other[note + 16] = (other[note + 16] as number) ^ 1;
  for (const [content, change, complaint] of [
    [other, 'has another build id', /has different build-ID|build-ID/i],
    [
      Buffer.concat([bytes, Buffer.alloc(1)]),
      `has ${bytes.length + 1} bytes instead of ${bytes.length}`,
      /has bad size/,
    ],
  ] as const) {
    await rename(program, `${program}.old`);
    await writeFile(program, content, { mode: 0o755 });
    await chmod(program, 0o755);
    expect((await look()).join()).toContain(`${program}, which ${change}`);
    const { log } = await failureOf(criu.restore({ imagesDirectory }));
    expect(log?.errors.join('\n')).toMatch(complaint);
  }
});

test('finds ports that are in use, and addresses that the host does not have', async () => {
  const address = '192.0.2.9';
  const device = [`${address}/32`, 'dev', 'lo'];
  await execa('ip', ['address', 'add', ...device]);
  const removed = () => execa('ip', ['address', 'del', ...device], { reject: false });
  onTestFinished(async () => void (await removed()));
  const { criu, pid, imagesDirectory } = await dumpedObstacle('tcp_listen_at', address);
  expect(briefly(await criu.preflightRestore({ imagesDirectory }))).toEqual([]);

  await removed();
  const [missing, ...others] = briefly(await criu.preflightRestore({ imagesDirectory }));
  expect(others).toEqual([]);
  expect(missing).toMatch(
    /^error ADDRESS_MISSING: descriptor 3 of process \d+ \(obstacle\) has the address 192\.0\.2\.9, port \d+/,
  );
  const unbound = await failureOf(criu.restore({ imagesDirectory }));
  expect(unbound.message).toContain("Can't bind inet socket");
  await execa('ip', ['address', 'add', ...device]);

  const port = Number(/port (\d+)/.exec(missing ?? '')?.[1]);
  const server = createServer().listen({ port, host: '::' });
  await new Promise((resolve) => server.once('listening', resolve));
  expect(briefly(await criu.preflightRestore({ imagesDirectory }))).toEqual([
    expect.stringContaining(
      `error ADDRESS_IN_USE: descriptor 3 of process ${pid} (obstacle) needs tcp port ${port} of ${address}, which another socket uses, in process ${process.pid} (`,
    ),
  ]);
  const busy = await failureOf(criu.restore({ imagesDirectory }));
  expect(busy.message).toMatch(/Address already in use/);
  await new Promise((resolve) => server.close(resolve));
  expect(briefly(await criu.preflightRestore({ imagesDirectory }))).toEqual([]);
  killAfterTest((await criu.restore({ imagesDirectory })).pid);
});

const KEPT =
  /^warning ADDRESS_IN_USE: descriptor 3 .* which the kernel may still keep for a closed connection$/;

test.each([
  {
    kind: 'tcp_connected',
    dump: { tcpEstablished: true },
    findings: [
      expect.stringMatching(
        /^error TCP_ESTABLISHED: descriptor \d of process \d+ \(obstacle\) is a TCP/,
      ),
      expect.stringMatching(/^error TCP_ESTABLISHED: /),
    ],
    complaint: /Connected TCP socket in image.*\[option tcpEstablished or tcpClose\]/,
    cure: { tcpEstablished: true },
  },
  {
    kind: 'tcp_connected',
    dump: { tcpClose: true },
    findings: [
      expect.stringMatching(/^error TCP_ESTABLISHED: the dump had the option tcpClose/),
      expect.stringMatching(KEPT),
    ],
    complaint: /Need to set the --tcp-close options.*\[option tcpClose\]/,
    // The connection was one to the program itself, which did not set SO_REUSEADDR.
    rest: {
      options: { tcpClose: true },
      findings: [expect.stringMatching(KEPT)],
      complaint: /Can't bind inet socket.*Address already in use/,
    },
  },
  {
    kind: 'lock_flock',
    argument: '@/file',
    dump: { fileLocks: true },
    findings: [expect.stringMatching(/^warning FILE_LOCK: descriptor 3 .* held a lock/)],
    cure: { fileLocks: true },
  },
  {
    kind: 'half_pipe',
    dump: {},
    findings: [
      expect.stringMatching(/^warning PIPE_OUTSIDE: descriptor 3 .* is the reading end of/),
    ],
  },
])('names the option that a restore of $kind dumped with $dump needs', async (one) => {
  const { criu, imagesDirectory } = await dumpedObstacle(one.kind, one.argument, one.dump);
  // Otherwise it would have the options of the dump.
  const unaware = { imagesDirectory, manifest: false };
  expect(briefly(await criu.preflightRestore(unaware))).toEqual(one.findings);
  if (one.complaint) {
    const error = await failureOf(criu.restore(unaware));
    expect(error.message).toMatch(one.complaint);
  }
  if (one.rest) {
    const given = { ...unaware, ...one.rest.options };
    expect(briefly(await criu.preflightRestore(given))).toEqual(one.rest.findings);
    const { message, findings = [] } = await failureOf(criu.restore(given));
    expect(message).toMatch(one.rest.complaint);
    expect(briefly(findings)).toEqual(one.rest.findings);
    return;
  }
  const options = { ...unaware, ...one.cure };
  if (one.cure) expect(await criu.preflightRestore(options)).toEqual([]);
  killAfterTest((await criu.restore(options)).pid);
});

test.each([
  ['an open link that leads nowhere', 'open_link', '@/link'],
  ['a pipe whose other end is in a queue', 'sent_pipe'],
  ['a zombie', 'zombie'],
])('finds nothing about a program with %s', async (_title, kind, argument = '') => {
  const { criu, imagesDirectory } = await dumpedObstacle(kind, argument);
  expect(briefly(await criu.preflightRestore({ imagesDirectory }))).toEqual([]);
  killAfterTest((await criu.restore({ imagesDirectory })).pid);
});

test('finds a terminal that the restore has to replace', async () => {
  const criu = client();
  const { pid } = await startOnTerminal(await compileFixture('echo'));
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu.dump(pid, { imagesDirectory, orphanPtsMaster: true });
  await waitGone(pid);
  const look = async (options: Partial<RestoreOptions> = {}) =>
    relevant(await criu.preflightRestore({ imagesDirectory, ...options }));
  expect(briefly(await look())).toEqual([
    expect.stringMatching(
      /^error TERMINAL_OUTSIDE: descriptor 0 .* is the terminal \/dev\/pts\/\d+, whose master/,
    ),
  ]);
  expect((await failureOf(criu.restore({ imagesDirectory }))).message).toContain(
    '[option shellJob or orphanPtsMaster]',
  );
  expect(briefly(await look({ shellJob: true }))).toEqual([
    expect.stringMatching(
      /^error TERMINAL_OUTSIDE: .* standard input of this process.* is no terminal$/,
    ),
  ]);
  const elsewhere = await failureOf(criu.restore({ imagesDirectory, shellJob: true }));
  expect(elsewhere.message).toMatch(/Don't have tty to inherit.*\[option orphanPtsMaster\]/);
  expect(await look({ hooks: { orphanPtsMaster() {} } })).toEqual([]);
});

test('finds a mount namespace without a root, and mounts from outside', async () => {
  const { pid, root, outside, imagesDirectory } = await startRooted();
  const criu = client();
  await criu.dump(pid, { imagesDirectory, external: ['mnt[/ext]:outside'] });
  const look = async (options: Partial<RestoreOptions>) =>
    briefly(await criu.preflightRestore({ imagesDirectory, ...options }));
  const mount = 'error EXTERNAL_MISSING: /ext was the external mount outside';
  expect(await look({})).toEqual([
    expect.stringMatching(/^error ROOT_MISSING: .* mount namespace of its own.* option root$/),
    mount,
  ]);
  expect(await look({ root: `${root}/ext` })).toEqual([
    `error ROOT_MISSING: the root of the restored mount namespace, ${root}/ext, is not a mount point`,
    mount,
  ]);
  const external = [`mnt[outside]:${outside}`];
  expect(await look({ root, external })).toEqual([]);
  await criu.restore({ imagesDirectory, root, external });
});

test('finds damaged images and an unsuitable processor, and refuses a directory without images', async () => {
  const criu = client();
  const { counter, imagesDirectory } = await dumpedCounter(criu);
  const { pid } = counter;
  await criu.cpuinfoDump({ imagesDirectory });
  expect(briefly(await criu.preflightRestore({ imagesDirectory }))).toEqual([]);
  await doctor(imagesDirectory, CAPABILITY, () => 0xffff_ffffn);
  const unsuitable = await criu.preflightRestore({ imagesDirectory, cpuCap: ['ins'] });
  expect(briefly(unsuitable)).toEqual([
    expect.stringMatching(/^warning CPU_UNSUITABLE: .*CPU instruction capabilities do not match/),
  ]);
  await rm(join(imagesDirectory, 'cpuinfo.img'));

  const image = join(imagesDirectory, `mm-${pid}.img`);
  const bytes = await readFile(image);
  await writeFile(image, bytes.subarray(0, 40));
  const damaged = await criu.preflightRestore({ imagesDirectory });
  expect(damaged).toMatchObject([{ code: 'BAD_IMAGES', pid, severity: 'error' }]);
  expect(damaged[0]?.message).toContain(`${image} is truncated`);

  const empty = await temporaryDirectory();
  expect(await failureOf(criu.preflightRestore({ imagesDirectory: empty }))).toMatchObject({
    code: 'ERR_CRIU_BAD_IMAGE',
    operation: 'preflightRestore',
  });
});
