import { open, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { descriptorOf } from '../../../src/options/kinds.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { Output, startOn } from '../../helpers/descriptors.ts';
import { namespaceOf, networkNamespace, startThrough } from '../../helpers/namespaces.ts';
import { connection, inProc, listensAt } from '../../helpers/sockets.ts';
import { client, processState, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

test('iptables locks the connection during the dump, and it continues afterwards', async () => {
  const { pid, peer, answers, port } = await startEcho();
  const criu = client();
  const options = { imagesDirectory: await temporaryDirectory(), tcpEstablished: true };
  const rules = async () =>
    (await execa('iptables-save', ['-t', 'filter'])).stdout
      .split('\n')
      .filter((line) => line.includes(` ${port} `));

  await criu.dump(pid, { ...options, networkLock: 'iptables' });
  expect(await rules()).toEqual([
    expect.stringMatching(/^-A INPUT .* -j DROP$/),
    expect.stringMatching(/^-A OUTPUT .* -j DROP$/),
  ]);
  peer.write('two\n');
  await criu.restore({ ...options, networkLock: 'iptables' });
  await answers.has('2 two\n');
  expect(await rules()).toEqual([]);
  peer.write('three\n');
  await answers.has('3 three\n');
});

test('nftables holds back data that is sent during the dump, and it arrives after the restore', async () => {
  const { pid, peer, answers } = await startEcho();
  const criu = client();
  const options = { imagesDirectory: await temporaryDirectory(), tcpEstablished: true };
  await criu.dump(pid, { ...options, networkLock: 'nftables' });
  // No process has the connection now: without the lock the kernel would reset it at once.
  peer.write('two\n');
  await criu.restore({ ...options, networkLock: 'nftables' });
  await answers.has('2 two\n');
  peer.write('three\n');
  await answers.has('3 three\n');
});

test('without a lock an idle connection continues', async () => {
  const { pid, peer, answers } = await startEcho();
  const criu = client();
  const options = { imagesDirectory: await temporaryDirectory(), tcpEstablished: true };
  await criu.dump(pid, { ...options, networkLock: 'skip' });
  await criu.restore({ ...options, networkLock: 'skip' });
  peer.write('two\n');
  await answers.has('2 two\n');
});

test('without a lock a connection is reset by data that is sent meanwhile', async () => {
  const { pid, peer } = await startEcho();
  const reset = new Promise((resolve) => peer.once('error', resolve));
  const imagesDirectory = await temporaryDirectory();
  await client().dump(pid, { imagesDirectory, tcpEstablished: true, networkLock: 'skip' });
  peer.write('two\n');
  expect(await reset).toMatchObject({ code: 'ECONNRESET' });
});

test('an established connection is dumped only with the option tcpEstablished', async () => {
  const { pid, peer, answers } = await startEcho();
  const imagesDirectory = await temporaryDirectory();
  await expect(client().dump(pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('tcpEstablished'),
    workload: 'running',
  });
  peer.write('two\n');
  await answers.has('2 two\n');
});

test('tcpClose restores an established connection as a closed one', async () => {
  const { pid, said } = await startEcho();
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory, tcpClose: true });
  expect(await said()).toBe('');
  await expect(criu.restore({ imagesDirectory, tcpClose: false })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('tcpClose'),
  });
  await criu.restore({ imagesDirectory });
  await waitFor(async () => (await said()) === 'end\n', 'the end of its input');
});

test('a listening socket refuses connections while its process is only in images, and accepts them after the restore', async () => {
  const { pid, port } = await startServer();
  expect(await ask(port)).toBe('1\n');
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(pid, { imagesDirectory });
  await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await criu.restore({ imagesDirectory });
  expect(await ask(port)).toBe('2\n');
});

test('tcpSkipInFlight skips a connection that is not accepted yet', async () => {
  const { pid, port } = await startServer();
  process.kill(pid, 'SIGSTOP');
  await waitFor(async () => (await processState(pid)) === 'T', 'the server is stopped');
  const waiting = connect(port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void waiting.destroy());
  await new Promise((resolve) => waiting.once('connect', resolve));
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('tcpSkipInFlight'),
  });
  await criu.dump(pid, { imagesDirectory, tcpSkipInFlight: true });
  await criu.restore({ imagesDirectory });
  process.kill(pid, 'SIGCONT');
  expect(await ask(port)).toBe('1\n');
});

test('an external network namespace is replaced by the one of a descriptor', async () => {
  const [before, after] = [await networkNamespace(), await networkNamespace()];
  const { pid, port } = await startServer(['nsenter', `--net=${before}`]);
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const external = [`net[${(await stat(before)).ino}]:outside`];
  await criu.dump(pid, { imagesDirectory, external });

  await using file = await open(after);
  const inheritFd = { outside: file };
  const restored = await criu.restore({ imagesDirectory, external, inheritFd });
  expect(await namespaceOf(restored.pid, 'net')).toBe(`net:[${(await stat(after)).ino}]`);
  expect(await listensAt(restored.pid)).toEqual([inProc('127.0.0.1', port)]);
  expect(await askIn(after, port)).toBe('1');
});

test.each(['a file', 'a process'])(
  'joinNs restores into the network namespace of %s',
  async (what) => {
    const namespace = await networkNamespace();
    const { pid, port } = await startServer();
    expect(await ask(port)).toBe('1\n');
    const host = await startThrough(['nsenter', `--net=${namespace}`], '/usr/bin/sleep', ['1000']);
    const criu = client();
    const imagesDirectory = await temporaryDirectory();
    await criu.dump(pid, { imagesDirectory });

    const nsFile = what === 'a file' ? namespace : host.pid;
    const restored = await criu.restore({ imagesDirectory, joinNs: [{ ns: 'net', nsFile }] });
    expect(await namespaceOf(restored.pid, 'net')).toBe(`net:[${(await stat(namespace)).ino}]`);
    await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await askIn(namespace, port)).toBe('2');
  },
);

test('emptyNs restores a network namespace empty', async () => {
  const sleeper = await startThrough(['unshare', '-n'], '/usr/bin/sleep', ['1000']);
  await execa('nsenter', [
    '-t',
    `${sleeper.pid}`,
    '-n',
    'ip',
    'link',
    'add',
    'extra',
    'type',
    'veth',
  ]);
  expect(await devicesOf(sleeper.pid)).toEqual(['extra', 'lo', 'veth0']);
  const criu = client();
  const options = { imagesDirectory: await temporaryDirectory(), emptyNs: ['network'] as const };
  await criu.dump(sleeper.pid, options);
  const { pid } = await criu.restore(options);
  expect(await namespaceOf(pid, 'net')).not.toBe(await namespaceOf('self', 'net'));
  expect(await devicesOf(pid)).toEqual(['lo']);
});

test.each(['vethPairs', 'external'] as const)(
  'a veth pair named by %s connects the restored namespace again',
  async (option) => {
    const sleeper = await startThrough(['unshare', '-n'], '/usr/bin/sleep', ['1000']);
    const [before, after] = [`nc${process.pid}a`, `nc${process.pid}b`];
    const add = ['link', 'add', before, 'type', 'veth', 'peer', 'name', 'inside', 'netns'];
    await execa('ip', [...add, `${sleeper.pid}`]);
    const criu = client();
    const imagesDirectory = await temporaryDirectory();
    await criu.dump(sleeper.pid, { imagesDirectory });
    const { pid } = await criu.restore({
      imagesDirectory,
      ...(option === 'external'
        ? { external: [`veth[inside]:${after}`] }
        : { vethPairs: [{ containerInterfaceName: 'inside', hostInterfaceName: after }] }),
    });
    expect(await devicesOf(pid)).toEqual(['inside', 'lo']);
    const { stdout } = await execa('ip', ['-o', 'link', 'show', after]);
    expect(stdout).toContain(`${after}@`);
  },
);

/** Starts a program that answers on a TCP connection to this process. */
async function startEcho() {
  const [peer, own] = await connection();
  const file = join(await temporaryDirectory(), 'said');
  const errors = await open(file, 'a');
  const fd = descriptorOf(own);
  const { pid } = await startOn([fd, fd, errors.fd], await compileFixture('echo'));
  await errors.close();
  const port = own.localPort ?? 0;
  own.destroy();
  forgetLock(port);
  const answers = new Output(peer);
  peer.write('one\n');
  await answers.has('1 one\n');
  return { pid, peer, answers, port, said: () => readFile(file, 'utf8') };
}

/** Starts a program that counts its connections. */
async function startServer(through: readonly string[] = ['env']) {
  const file = join(await temporaryDirectory(), 'port');
  const program = await compileFixture('count-server');
  const { pid } = await startThrough(through, program, [], { stdout: file });
  await waitFor(async () => (await readFile(file, 'utf8')).endsWith('\n'), 'it listens');
  return { pid, port: Number(await readFile(file, 'utf8')) };
}

/** Reads what a server sends. */
async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

/** Reads what a server in a network namespace sends. */
async function askIn(namespace: string, port: number): Promise<string> {
  const script = `cat < /dev/tcp/127.0.0.1/${port}`;
  return (await execa('nsenter', [`--net=${namespace}`, 'bash', '-c', script])).stdout;
}

/** The network devices in the namespace of a process. */
async function devicesOf(pid: number): Promise<string[]> {
  const lines = (await readFile(`/proc/${pid}/net/dev`, 'utf8')).trim().split('\n').slice(2);
  return lines.map((line) => line.trim().split(':')[0] ?? '').sort();
}

/** Removes the network lock if the test leaves it behind. */
function forgetLock(port: number): void {
  onTestFinished(async () => {
    const { stdout } = await execa('iptables-save', ['-t', 'filter']);
    for (const rule of stdout.split('\n').filter((line) => line.includes(` ${port} `))) {
      await execa('iptables', ['-w', ...rule.replace(/^-A/, '-D').split(' ')]);
    }
    const { stdout: ruleset = '' } = await execa('nft', ['list', 'ruleset'], { reject: false });
    for (const [table, name = ''] of ruleset.matchAll(/^table inet (CRIU-\S+) \{[\s\S]*?^\}/gm)) {
      if (table.includes(` ${port} `)) await execa('nft', ['delete', 'table', 'inet', name]);
    }
  });
}
