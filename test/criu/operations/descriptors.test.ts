import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { descriptorOf } from '../../../src/options/kinds.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { closeAfterTest, nameOf, Output, pipe, startOn } from '../../helpers/descriptors.ts';
import { connection } from '../../helpers/sockets.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  client,
  isAlive,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

test('pipes that led outside are replaced by others, through which data flows', async () => {
  const criu = client();
  const [input, output] = [duct(), duct()];
  const { pid } = await startOn([input.out, output.in], await compileFixture('echo'));
  input.write('one\n');
  await output.arrived.has('1 one\n');
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory });

  const [newInput, newOutput] = [duct(), duct()];
  const { pid: restored } = await criu.restore({
    imagesDirectory,
    inheritFd: { [input.name]: newInput.out, [output.name]: newOutput.in },
  });
  expect(nameOf(0, restored)).toBe(newInput.name);
  expect(nameOf(1, restored)).toBe(newOutput.name);
  // The descriptors stay open in this process.
  expect(nameOf(newInput.out)).toBe(newInput.name);
  expect(nameOf(newOutput.in)).toBe(newOutput.name);
  newInput.write('two\n');
  await newOutput.arrived.has('2 two\n');
  expect(newOutput.arrived.text).toBe('2 two\n');
  expect(output.arrived.text).toBe('1 one\n');
});

test('a pipe that is not replaced reaches end of file', async () => {
  const criu = client();
  const input = duct();
  const imagesDirectory = await temporaryDirectory();
  const file = join(imagesDirectory, 'said');
  const fd = openSync(file, 'a');
  closeAfterTest(fd);
  const { pid } = await startOn([input.out, fd, fd], await compileFixture('echo'));
  const said = async () => await readFile(file, 'utf8');
  input.write('one\n');
  await waitFor(async () => (await said()) === '1 one\n', 'an answer');
  await criu.dump(pid, { imagesDirectory });

  const { pid: restored } = await criu.restore({ imagesDirectory });
  await waitFor(async () => (await said()) === '1 one\nend\n', 'the end');
  expect(nameOf(0, restored)).toMatch(/^pipe:/);
  expect(nameOf(0, restored)).not.toBe(input.name);
});

test('many descriptors in any order are each restored to their own number', async () => {
  const criu = client();
  const count = 12;
  const old = Array.from({ length: count }, duct);
  const stdio = [undefined, undefined, undefined, ...old.map(({ in: fd }) => fd)];
  const { pid } = await startOn(stdio, await compileFixture('announce'), [String(count)]);
  await Promise.all(old.map(({ arrived }, index) => arrived.has(`${index + 3} 1\n`)));
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory });

  // Their numbers here overlap with those that they get in criu, in another order.
  const fresh = Array.from({ length: count }, duct);
  const places = fresh.map((_, index) => (index * 7 + 5) % count);
  await criu.restore({
    imagesDirectory,
    inheritFd: Object.fromEntries(places.map((to) => [old[to]?.name, fresh[to]?.in ?? -1])),
  });
  for (const [index, { arrived }] of fresh.entries()) {
    await arrived.has('\n');
    const last = Number(old[index]?.arrived.text.trim().split('\n').at(-1)?.split(' ')[1]);
    await arrived.has(`${index + 3} ${last + 2}\n`);
    expect(arrived.text).toMatch(new RegExp(`^(${index + 3} \\d+\n)+$`));
  }
});

test('an open file can take the place of a pipe, and a socket cannot', async () => {
  const criu = client();
  const old = duct();
  const stdio = [undefined, undefined, undefined, old.in];
  const { pid } = await startOn(stdio, await compileFixture('announce'), ['1']);
  await old.arrived.has('3 1\n');
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory });

  const [near] = await connection();
  await expect(
    criu.restore({ imagesDirectory, inheritFd: { [old.name]: near } }),
  ).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('reopen the pipe'),
  });
  await waitGone(pid);

  const file = join(imagesDirectory, 'announced');
  await using handle = await open(file, 'a');
  await criu.restore({ imagesDirectory, inheritFd: { [old.name]: handle } });
  await waitFor(async () => /^(3 \d+\n){5}/.test(await readFile(file, 'utf8')), 'five lines');
  const last = lastCount(old.arrived.text);
  expect(await readFile(file, 'utf8')).toContain(`3 ${last + 2}\n`);
});

test('a file is replaced by an open one, named by its path without the first slash', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const [old, fresh] = [join(directory, 'old'), join(directory, 'new')];
  const fd = openSync(old, 'a');
  closeAfterTest(fd);
  const { pid } = await startOn(
    [undefined, undefined, undefined, fd],
    await compileFixture('announce'),
    ['1'],
  );
  const count = async (path: string) => lastCount(await readFile(path, 'utf8'));
  await waitFor(async () => (await count(old)) > 3, 'the program writes');
  await criu.dump(pid, { imagesDirectory: directory });
  const reached = await count(old);

  await writeFile(fresh, '');
  await using handle = await open(fresh, 'a');
  await criu.restore({ imagesDirectory: directory, inheritFd: { [old.slice(1)]: handle } });
  await waitFor(async () => (await count(fresh)) > reached, 'the program writes to the new file');
  expect(await readFile(fresh, 'utf8')).toMatch(new RegExp(`^3 ${reached + 1}\n`));
  expect(await count(old)).toBe(reached);
});

test('a terminal outside is replaced by another, named by its device', async () => {
  const criu = client();
  const [before, after] = [await terminal(), await terminal()];
  const { pid } = await startOn([before.slave, before.slave], await compileFixture('echo'));
  before.type('one\n');
  await before.output.has('1 one\n');
  const imagesDirectory = await temporaryDirectory();
  const { rdev, dev } = fstatSync(before.slave);
  const id = `tty[${rdev.toString(16)}:${dev.toString(16)}]`;
  await criu.dump(pid, { imagesDirectory, external: [id] });

  await criu.restore({ imagesDirectory, inheritFd: { [id]: after.slave } });
  after.type('two\n');
  await after.output.has('2 two\n');
  expect(before.output.text).not.toContain('two');
});

test('a unix datagram socket with a peer outside finds that peer again', async () => {
  const criu = client();
  const directory = await temporaryDirectory();
  const datagrams = await compileFixture('datagrams');
  const [path, file] = [join(directory, 'log'), join(directory, 'received')];
  await startProgram(datagrams, ['receive', path], { stdout: file });
  await waitFor(
    () =>
      stat(path).then(
        () => true,
        () => false,
      ),
    'the receiver listens',
  );
  const { pid } = await startProgram(datagrams, ['send', path]);
  const numbers = async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1).map(Number);
  await waitFor(async () => (await numbers()).length > 3, 'it receives');

  const images = { imagesDirectory: directory };
  await expect(criu.dump(pid, images)).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('externalUnixConnections'),
    workload: 'running',
  });
  await criu.dump(pid, { ...images, externalUnixConnections: true });
  expect(await isAlive(pid)).toBe(false);
  const { length } = await numbers();
  await criu.restore({ ...images, externalUnixConnections: true });
  await waitFor(async () => (await numbers()).length > length + 3, 'it receives again');
  const all = await numbers();
  expect(all).toEqual(all.map((_, index) => index + 1));
});

test.each(['external', 'unixSkIno'] as const)(
  'half of a unix socket pair named by %s is replaced by a connected socket',
  async (option) => {
    const criu = client();
    const [near, far] = await unixConnection();
    const echo = await compileFixture('echo');
    const fd = descriptorOf(near);
    const { pid } = await startOn([fd, fd], echo);
    near.destroy();
    const said = new Output(far);
    far.write('one\n');
    await said.has('1 one\n');
    const name = nameOf(0, pid);
    const inode = Number(/\d+/.exec(name)?.[0]);
    const imagesDirectory = await temporaryDirectory();
    await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
      message: expect.stringContaining('externalUnixConnections'),
      workload: 'running',
    });
    const named = option === 'external' ? { external: [`unix[${inode}]`] } : { unixSkIno: [inode] };
    await criu.dump(pid, { imagesDirectory, ...named });

    const [newNear, newFar] = await unixConnection();
    await criu.restore({ imagesDirectory, inheritFd: { [name]: newNear } });
    newNear.destroy();
    const answered = new Output(newFar);
    newFar.write('two\n');
    await answered.has('2 two\n');
  },
);

/** A pipe; what comes out of it is read here as soon as it is asked for. */
function duct() {
  const [out, into] = pipe();
  let arrived: Output | undefined;
  return {
    name: nameOf(out),
    in: into,
    out,
    write: (text: string) => void writeSync(into, text),
    get arrived() {
      arrived ??= new Output(reader(out));
      return arrived;
    },
  };
}

/** Reads a pipe, with a descriptor of its own. */
function reader(fd: number): Socket {
  const own = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: own, writable: false });
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** A terminal that only a sleeping program has, open here. */
async function terminal() {
  const { pid, output, type } = await startOnTerminal('/bin/sleep', ['1000']);
  const slave = openSync(`/proc/${pid}/fd/0`, constants.O_RDWR | constants.O_NOCTTY);
  closeAfterTest(slave);
  return { slave, output, type };
}

/** The two ends of a unix stream connection, which has no name in the file system. */
async function unixConnection(): Promise<[Socket, Socket]> {
  const server = createServer();
  const path = join(await temporaryDirectory(), 'socket');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  const near = connect(path).pause();
  const far = await accepted;
  server.close();
  for (const end of [near, far]) onTestFinished(() => void end.destroy());
  return [near, far];
}

/** The last count that `announce` has written. */
function lastCount(text: string): number {
  return Number(text.trim().split('\n').at(-1)?.split(' ')[1] ?? 0);
}
