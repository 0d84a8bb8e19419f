import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CheckpointableProcess, spawnCheckpointable } from '../../../src/index.ts';
import { native } from '../../../src/native/index.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { Output, pipe } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { guestChannel, guestFile, guestImport } from '../../helpers/guest.ts';
import { type NodeMajor, nodeMajors, nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import { root } from '../../helpers/pages.ts';
import { client, killAfterTest, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

beforeAll(buildLibrary);

const COPIES = 3;
const limits = { timeoutMs: 30_000 };
const fixture = join(import.meta.dirname, '../../fixtures/copied-program.mjs');

type Values = Record<string, Record<string, unknown[]>>;

/** A pipe for the output of a program: the output, and the descriptor for the program. */
function outputPipe(): [Output, number] {
  const [readEnd, writeEnd] = pipe();
  const own = native().duplicate(readEnd);
  native().release(own);
  const socket = new Socket({ fd: own, readable: true, writable: false });
  onTestFinished(() => void socket.destroy());
  return [new Output(socket), writeEnd];
}

/** Starts a program with descriptor 3 as the connection to its guest library. */
async function start(file: string, args: readonly string[]) {
  const [output, stdout] = outputPipe();
  const [channel, fd] = guestChannel();
  const program = await spawnCheckpointable(file, args, {
    ...{ pidNamespace: true, stdout, descriptors: { 3: fd } },
    env: { ...process.env, NODE_CRIU_GUEST_FD: '3', VARIABLE: 'old' },
  });
  killAfterTest(program.pid);
  native().close(fd);
  return { program, output, channel };
}

/** Dumps it, and returns a function that restores it, as often as wanted. */
async function dump(program: CheckpointableProcess) {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(program.pid, { imagesDirectory, external: program.external });
  await program.exited;
  const { 1: stdoutName = '', 3: guestName = '' } = program.inheritNames;
  return async () => {
    const [output, stdout] = outputPipe();
    const [channel, fd] = guestChannel();
    const inheritFd = { [stdoutName]: stdout, [guestName]: fd };
    const workDirectory = await temporaryDirectory();
    const { pid } = await criu.restore({ imagesDirectory, workDirectory, inheritFd });
    killAfterTest(pid);
    native().close(fd);
    return { output, channel, pid };
  };
}

/** Starts Node with a program that draws random values, and checkpoints it. */
async function makeTemplate(major: NodeMajor, library: string) {
  const args = [...nodeOptions(major), fixture, library, 'old'];
  const { program, output, channel } = await start(nodePath(major), args);
  await output.has('started');
  if (library) await channel.checkpoint(limits);
  return await dump(program);
}

const makeCopies = <T>(restore: () => Promise<T>) =>
  Promise.all(Array.from({ length: COPIES }, restore));

async function printed(output: Output): Promise<Values> {
  await output.has('\n');
  return JSON.parse(output.text);
}

/** The names of what has values in common in two copies. */
function equalIn(copies: readonly Values[]): string[] {
  const names: string[] = [];
  for (const part of ['main', 'oldWorker', 'newWorker', 'child']) {
    for (const name of Object.keys(copies[0]?.[part] ?? {})) {
      const all = copies.flatMap((copy) => copy[part]?.[name] ?? []);
      if (new Set(all).size < all.length) names.push(`${part}.${name}`);
    }
  }
  return names;
}

describe.each(nodeMajors)('Node %i', (major) => {
  test('no two copies draw the same random values', async () => {
    const restore = await makeTemplate(major, pathToFileURL(guestFile).href);
    const copies = await makeCopies(restore);
    const values = await Promise.all(
      copies.map(async ({ channel, output }, index) => {
        const info = {
          ...{ copy: { id: `${index}` }, restoredAt: Date.now() },
          ...{ args: [`${index}`], env: { VARIABLE: `new ${index}` } },
        };
        await channel.restored(info, limits);
        return await printed(output);
      }),
    );
    expect(equalIn(values)).toEqual([]);
    for (const [index, { system }] of values.entries()) {
      expect(system).toMatchObject({ variable: `new ${index}`, args: [`${index}`] });
    }
    // A copy that nobody has taken ends with its host.
    const orphan = await restore();
    orphan.channel.close();
    await waitGone(orphan.pid);
  });
});

test('a copy without a host ends, also if the program was dumped before it waited for an answer', async () => {
  const script = `${guestImport}
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { fstatSync } = fs;
    fs.fstatSync = (fd) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      return fstatSync(fd);
    };
    syncBuiltinESMExports();
    setInterval(() => {}, 1000);
    console.log('started');`;
  const file = join(await temporaryDirectory(), 'slow.mjs');
  await writeFile(file, script);
  const { program, output, channel } = await start(nodePath(20), [...nodeOptions(20), file]);
  await output.has('started');
  await channel.checkpoint(limits);
  const orphan = await (await dump(program))();
  orphan.channel.close();
  await waitGone(orphan.pid);
});

test('without the library, copies draw the same random values', async () => {
  const copies = await makeCopies(await makeTemplate(24, ''));
  const values = await Promise.all(
    copies.map(async ({ pid, output }) => {
      process.kill(pid, 'SIGUSR2');
      return await printed(output);
    }),
  );
  const everywhere = ['bytes', 'integers', 'math', 'unbuffered', 'uuids', 'values'];
  const only = ['key', 'newContext', 'newContexts', 'oldContext', 'secret'];
  const parts = ['child', 'main', 'newWorker', 'oldWorker'];
  const expected = parts.flatMap((part) => everywhere.map((name) => `${part}.${name}`));
  // UUIDs of version 7 are equal only if they are drawn in the same millisecond.
  const equal = equalIn(values).filter((name) => !name.endsWith('.v7'));
  expect(equal.sort()).toEqual([...expected, ...only.map((name) => `main.${name}`)].sort());
});

test('a Python program takes part by the protocol', async () => {
  // The one that scripts/crit.sh installs.
  const python = join(root, '.cache/crit/python');
  const { program, channel } = await start(python, [join(root, 'examples/copies-guest.py')]);
  expect(await channel.hello()).toMatchObject({ language: 'python' });
  await channel.requested();
  await channel.checkpoint(limits);
  const copies = await makeCopies(await dump(program));
  const lines = await Promise.all(
    copies.map(async ({ channel, output }, index) => {
      const copy = { id: `copy-${index}` };
      await channel.restored({ copy, restoredAt: Date.now(), args: ['new'] }, limits);
      await output.has('\n');
      return output.text.trim().split(' ');
    }),
  );
  expect(lines.map(([id, argument]) => [id, argument])).toEqual(
    lines.map((_, index) => [`copy-${index}`, 'new']),
  );
  const values = lines.flatMap((line) => line.slice(2));
  expect(values).toHaveLength(3 * COPIES);
  expect(new Set(values).size).toBe(values.length);
});

test('a program continues after a dump that failed, and says what stood in its way', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const script = `${guestImport}
    const { connect } = await import('node:net');
    const socket = connect(${port}, '127.0.0.1', () => console.log('started'));
    onAfterRestore(({ aborted, copy }) => {
      console.log(aborted ?? copy.id);
      socket.destroy();
    });
    setInterval(() => {}, 1000);`;
  const args = [...nodeOptions(24), '--input-type=module', '-e', script];
  const { program, output, channel } = await start(nodePath(24), args);
  await output.has('started');
  const { handles } = await channel.checkpoint({ ...limits, reportHandles: true });
  const [handle, ...others] = handles ?? [];
  expect(handle).toMatchObject({
    kind: 'connection',
    detail: expect.stringMatching(` to 127.0.0.1:${port}$`),
  });
  expect(others).toEqual([]);
  const failure = await failureOf(dump(program));
  await channel.resume(failure.code, limits);
  await output.has(`${failure.code}\n`);
  await channel.checkpoint(limits);
  const restore = await dump(program);
  const copy = await restore();
  await copy.channel.restored({ copy: { id: 'copy-1' }, restoredAt: Date.now() }, limits);
  await copy.output.has('copy-1');
});
