import { cp, mkdir, readFile, truncate } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import {
  type CheckpointDescription,
  type DescribedFile,
  describeCheckpoint,
  diffCheckpoints,
} from '../../../src/images.ts';
import { buildCommand, events, nodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { startNode } from '../../helpers/node-program.ts';
import { nodeOptions } from '../../helpers/node-versions.ts';
import { client, killAfterTest, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

beforeAll(buildCommand);

/** An address as the kernel and crit write it. */
const padded = (address: string) => address.slice(2).padStart(8, '0');

/** The files of a process whose line for a person matches. */
function filesOf({ files }: CheckpointDescription, pid: number, text: RegExp): DescribedFile[] {
  return files.filter(
    (file) => text.test(file.text) && file.users.some((user) => user.pid === pid),
  );
}

test('show describes a server: processes, files, sockets, pipes, memory, and what a restore needs', async () => {
  const directory = await temporaryDirectory();
  const script = resolve('test/fixtures/described-server.mjs');
  const { pid } = await startNode([script, directory], {
    network: await networkNamespace(),
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      API_TOKEN: 'hunter2',
      DATABASE_URL: 'postgres://app:hunter2@db/app',
      GREETING: 'hello\u001b[31m',
    },
  });
  const ready = async () => await readFile(join(directory, 'ready'), 'utf8').catch(() => undefined);
  await waitFor(async () => (await ready()) !== undefined, 'the server is ready');
  const port = Number(await ready());
  const images = await temporaryDirectory();
  const { stats } = await client().dump(pid, {
    ...{ imagesDirectory: images, tcpEstablished: true, leaveStopped: true },
  });
  const live = async (name: string, of = pid) => await readFile(`/proc/${of}/${name}`, 'utf8');

  const checkpoint = await describeCheckpoint(images);
  expect(JSON.parse(JSON.stringify(checkpoint))).toBeTypeOf('object');
  expect(checkpoint).toMatchObject({
    ...{ directory: images, kind: 'dump', pageSize: 4096, stats },
    ...{ host: { name: hostname() }, criu: expect.stringMatching(/^\d+\.\d+/) },
    options: { tcpEstablished: true },
  });
  const [server, shell, ...others] = checkpoint.processes;
  if (!server || !shell) throw new Error('processes are missing');
  for (const process of checkpoint.processes) killAfterTest(process.pid);
  expect(others.map(({ name, ppid }) => [name, ppid]).sort()).toEqual([
    ['cat', shell.pid],
    ['sleep', shell.pid],
  ]);
  expect(shell).toMatchObject({ name: 'sh', ppid: pid, args: ['sh', '-c', 'sleep 1000 | cat'] });
  expect(shell.environment).toContain('ROLE=child');
  expect(server).toMatchObject({
    ...{ pid, ppid: 0, sid: pid, state: 'alive', workingDirectory: directory, rootDirectory: '/' },
    program: process.execPath,
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    args: [process.execPath, ...nodeOptions(), script, directory],
    environment: expect.arrayContaining([
      ...['API_TOKEN=[redacted]', 'DATABASE_URL=postgres://app:[redacted]@db/app'],
    ]),
    credentials: { uid: 0, groups: [] },
  });
  expect(server.threads.length).toBeGreaterThan(4);
  const open = await describeCheckpoint(images, { secrets: true });
  expect(open.processes[0]?.environment).toContain('API_TOKEN=hunter2');

  // Mappings and their protections are those of the stopped process. CRIU takes adjacent mappings of the kernel together.
  const maps = (await live('maps')).trimEnd().split('\n');
  expect(
    server.mappings
      .filter(({ kind }) => kind !== 'vvar')
      .map(({ start, end, protection }) => {
        return `${padded(start)}-${padded(end)} ${protection}`;
      }),
  ).toEqual(
    maps.filter((line) => !line.includes('[vvar')).map((line) => line.split(' ', 2).join(' ')),
  );
  expect(server.mappings.find(({ kind }) => kind === 'heap')?.bytesStored).toBeGreaterThan(0);
  const stored = server.mappings.reduce((sum, { bytesStored }) => sum + bytesStored, 0);
  expect(checkpoint.memory.find((one) => one.pid === pid)?.bytesStored).toBe(stored);

  expect(filesOf(checkpoint, pid, /app\.log$/)).toMatchObject([
    { type: 'regular', position: 8, flags: expect.arrayContaining(['O_WRONLY', 'O_APPEND']) },
  ]);
  expect(filesOf(checkpoint, pid, /deleted/)).toMatchObject([
    { path: join(directory, 'deleted'), deleted: { kept: 'ghost', bytesStored: 5000 } },
  ]);
  expect(filesOf(checkpoint, pid, new RegExp(`^tcp 127.0.0.1:${port} LISTEN$`))).toHaveLength(1);
  const pair = filesOf(checkpoint, pid, /ESTABLISHED$/).filter(({ type }) => type === 'inet');
  expect(pair).toHaveLength(2);
  const queued = pair.map((end) => (end.type === 'inet' ? end.bytesReceived : undefined));
  expect(queued.sort()).toEqual([0, 5]);
  const input = shell.descriptors.find(({ fd }) => fd === 0)?.file;
  expect(checkpoint.files.find(({ id }) => id === input)).toMatchObject({
    ...{ type: 'unix', socketType: 'stream', isPeerOutside: false, peerUsers: [{ pid }] },
  });
  const named = (name: string) => others.find((one) => one.name === name)?.pid ?? 0;
  expect(checkpoint.pipes).toContainEqual(
    expect.objectContaining({
      readers: [{ pid: named('cat'), fd: 0 }],
      writers: [{ pid: named('sleep'), fd: 1 }],
    }),
  );
  expect(checkpoint.namespaces.find(({ kind }) => kind === 'net')).toMatchObject({
    ...{ isOwn: true, devices: ['lo'], pids: expect.arrayContaining([pid, shell.pid]) },
  });
  expect(checkpoint.needs).toMatchObject({
    options: [
      {
        ...{ option: 'tcpEstablished', reason: 'the processes have 2 TCP connections' },
        isRemembered: true,
      },
    ],
    external: [],
    pids: expect.arrayContaining([pid, shell.pid, server.threads[1]?.tid]),
    addresses: expect.arrayContaining([
      { protocol: 'tcp', address: '127.0.0.1', port, isListening: true },
    ]),
    files: expect.arrayContaining([
      expect.objectContaining({ path: process.execPath, size: expect.any(Number) }),
    ]),
  });

  // crit lists the same processes and mappings.
  const crit = async (what: string) => {
    const args = ['-m', 'crit', 'x', images, what];
    return (await execa(resolve('.cache/crit/python'), args)).stdout;
  };
  const listed = (await crit('ps')).trim().split('\n').slice(1);
  expect(listed.map((line) => Number(line.trim().split(/\s+/)[0])).sort()).toEqual(
    checkpoint.processes.map((one) => one.pid).sort(),
  );
  const ranges = (await crit('mems')).match(/^\t[\da-f]+-[\da-f]+/gm);
  expect(ranges).toEqual(
    checkpoint.processes.flatMap(({ mappings }) =>
      mappings.map(({ start, end }) => `\t${padded(start)}-${padded(end)}`),
    ),
  );

  const text = (await nodeCriu(['show', images, '--all'])).stdout;
  expect(text).toContain(`  ${pid} ${process.execPath} `);
  expect(text).toContain(`  └─ ${shell.pid} sh -c 'sleep 1000 | cat' (uid 0)`);
  expect(text).toContain('GREETING=hello\\x1b[31m');
  expect(text).toContain(`tcp 127.0.0.1:${port} LISTEN (backlog 511)`);
  expect(text).toContain('5 bytes received');
  expect(text).toContain('deleted (deleted) (O_RDWR, at 5000, 4.9 KiB in the images)');
  expect(text).toMatch(/--tcp-established +the processes have 2 TCP connections/);
  expect(text).not.toContain('hunter2');
  const part = await nodeCriu(['show', images, '--ps-tree', '--pid', String(shell.pid)]);
  expect(part.stdout.split('\n')[1]).toBe(`  ${shell.pid} sh (uid 0)`);
  expect(part.stdout.split('\n')).toHaveLength(4);
  const json = await nodeCriu(['show', images, '--json', '--secrets']);
  expect(events(json.stdout)).toEqual([
    { event: 'result', ...(JSON.parse(JSON.stringify(open)) as object) },
  ]);
  expect(await nodeCriu(['show', images, '--pid', '1'])).toMatchObject({
    ...{ exitCode: 2, stdout: '' },
    stderr: expect.stringContaining(`there is no process 1 in ${images}`),
  });

  const damaged = join(await temporaryDirectory(), 'damaged');
  await mkdir(damaged);
  await cp(images, damaged, { recursive: true });
  await truncate(join(damaged, 'files.img'), 20);
  expect(await nodeCriu(['show', damaged])).toMatchObject({
    ...{ exitCode: 3, stdout: '' },
    stderr: expect.stringMatching(/files\.img is truncated.*, at byte \d+ \(ERR_CRIU_BAD_IMAGE\)$/),
  });
});

test('show describes the memory of a pre-dump and the rounds before a dump, and diff what changed since', async () => {
  const imagesDirectory = await temporaryDirectory();
  const memory = await startMemoryWorkload({ heapMiB: 2, hotMiB: 1, pagesPerSecond: 1000 });
  await using iteration = await client().iterate(memory.pid, {
    ...{ imagesDirectory, tracking: 'compare' },
  });
  const round = await iteration.preDump();
  await memory.writesOn();
  const { directory } = await iteration.dump();

  const first = await describeCheckpoint(round.directory);
  expect(first).toMatchObject({ kind: 'pre-dump', processes: [], files: [], parents: [] });
  expect(first.memory).toMatchObject([{ pid: memory.pid }]);
  expect(first.memory[0]?.bytesStored).toBeGreaterThan(2 * 2 ** 20);
  const last = await describeCheckpoint(directory);
  expect(last).toMatchObject({ kind: 'dump', parents: [{ directory: first.directory }] });
  expect(last.memory[0]?.bytesInParents).toBeGreaterThan(0);
  const difference = await diffCheckpoints(round.directory, directory);
  expect(difference.memory?.pagesChanged).toBeGreaterThan(0);
  const { pagesChanged = 0, pagesRemoved = 0, pagesEqual = 0 } = difference.memory ?? {};
  expect(4096 * (pagesChanged + pagesRemoved + pagesEqual)).toBe(first.memory[0]?.bytesStored);
  // What is still in the images of the round has not changed.
  expect(4096 * pagesEqual).toBeGreaterThanOrEqual(last.memory[0]?.bytesInParents ?? 0);
  const same = await nodeCriu(['diff', directory, directory]);
  expect(same).toEqual({ exitCode: 0, stdout: 'no differences', stderr: '' });
  const shown = (await nodeCriu(['diff', round.directory, directory, '--pages'])).stdout;
  expect(shown).toMatch(/^Pages\n +changed +added +removed +equal\n/);
  const [, total] = /all +(\d+)/.exec(shown) ?? [];
  expect(total).toBe(String(pagesChanged));
  const { stdout } = await nodeCriu(['show', round.directory]);
  expect(stdout).toContain('pre-dump: memory of a round before a dump');
  expect(stdout).toMatch(new RegExp(`process ${memory.pid} +\\d`));
});
