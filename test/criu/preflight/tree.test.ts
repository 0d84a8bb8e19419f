import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import type { DumpOptions, PreflightFinding, PreflightOptions } from '../../../src/index.ts';
import { native } from '../../../src/native/index.ts';
import { CAP_SYS_RESOURCE, hasCapability } from '../../../src/procfs/capability.ts';
import { readStatus } from '../../../src/procfs/status.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { callWithout } from '../../helpers/capabilities.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { closeAfterTest, nameOf, pipe, startOn } from '../../helpers/descriptors.ts';
import { failureOf } from '../../helpers/failures.ts';
import { childOf, codesOf, startObstacle } from '../../helpers/obstacle.ts';
import { startOnTerminal } from '../../helpers/terminal.ts';
import {
  client,
  isAlive,
  killAfterTest,
  processState,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

const criu = client;

/** Dumps into a directory of its own, and lets the process run on. */
async function dumped(pid: number, options: Omit<DumpOptions, 'imagesDirectory'> = {}) {
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu().dump(pid, { ...options, imagesDirectory, leaveRunning: true });
  expect(await isAlive(pid)).toBe(true);
}

/** The error of a dump. */
async function failed(pid: number, options: Omit<DumpOptions, 'imagesDirectory'> = {}) {
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  return await failureOf(criu().dump(pid, { ...options, imagesDirectory }));
}

/** The message of an error, and the errors in CRIU's log. */
const complaints = ({ message, log }: Awaited<ReturnType<typeof failed>>) =>
  [message, ...(log?.errors ?? [])].join('\n');

test('finds a process that does not lead its session, which is dumped with shellJob', async () => {
  const pid = await childOf((await startObstacle('children', '1')).pid);
  expect(await criu().preflight(pid)).toMatchObject([
    { code: 'NOT_SESSION_LEADER', severity: 'error', pid },
  ]);
  const error = await failed(pid);
  expect(complaints(error)).toMatch(/not a session leader/);
  expect(codesOf(error.findings)).toEqual(['NOT_SESSION_LEADER']);

  expect(await criu().preflight(pid, { shellJob: true })).toEqual([]);
  await dumped(pid, { shellJob: true });
});

test('finds a session leader outside the pid namespace', async () => {
  const outer = await startObstacle('nothing', '', ['unshare', '--pid', '--fork', '--kill-child']);
  const pid = await childOf(outer.pid);
  expect(await criu().preflight(pid)).toMatchObject([
    { code: 'SESSION_OUTSIDE_PID_NAMESPACE', severity: 'error', pid },
  ]);
  const error = await failed(pid, { shellJob: true });
  expect(complaints(error)).toMatch(/session leader of .* is outside of its pid namespace/);
  expect(codesOf(error.findings)).toEqual(['SESSION_OUTSIDE_PID_NAMESPACE']);
});

test('finds a root that is not the first process of its pid namespace', async () => {
  const namespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'setsid'];
  const outer = await startObstacle('children', '1', namespace);
  const pid = await childOf(await childOf(outer.pid));
  const findings = await criu().preflight(pid, { shellJob: true });
  expect(codesOf(findings)).toContain('NOT_NAMESPACE_INIT');
  const error = await failed(pid, { shellJob: true });
  expect(codesOf(error.findings)).toContain('NOT_NAMESPACE_INIT');
});

test('finds a unix stream to a process outside with its peer, and accepts it once external names it', async () => {
  const path = join(await temporaryDirectory(), 'socket');
  const server = createServer(() => {}).listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const { pid } = await startObstacle('unix_connect', path);
  await accepted;

  const [finding, ...others] = await criu().preflight(pid);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: 'UNIX_PEER_OUTSIDE', severity: 'error', pid, fd: 3 });
  const inode = /\d+/.exec(nameOf(3, pid))?.[0];
  expect(finding?.message).toMatch(
    new RegExp(`stream socket ${inode}, .*"${path}" .*process ${process.pid} `),
  );
  expect(finding?.remedy).toContain(`unix[${inode}]`);

  // Only for datagrams.
  expect(codesOf(await criu().preflight(pid, { externalUnixConnections: true }))).toEqual([
    'UNIX_PEER_OUTSIDE',
  ]);
  const halved = await failed(pid, { externalUnixConnections: true });
  expect(complaints(halved)).toMatch(/Can't dump half of stream unix connection/);
  const error = await failed(pid);
  expect(complaints(error)).toMatch(/External socket is used/);
  expect(error.findings).toEqual([finding]);

  const external = [`unix[${inode}]`];
  expect(await criu().preflight(pid, { external })).toMatchObject([
    { code: 'UNIX_PEER_OUTSIDE', severity: 'warning', pid, fd: 3 },
  ]);
  const inheritFd = { [`socket:[${inode}]`]: 0 };
  expect(await criu().preflight(pid, { external, inheritFd })).toEqual([]);
  await dumped(pid, { external });
});

test('finds a unix datagram socket outside, which is dumped with externalUnixConnections', async () => {
  const path = join(await temporaryDirectory(), 'socket');
  const { pid: receiver } = await startObstacle('unix_bind', path);
  expect(await criu().preflight(receiver)).toEqual([]);
  const { pid } = await startObstacle('unix_send', path);

  const [finding, ...others] = await criu().preflight(pid);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: 'UNIX_PEER_OUTSIDE', severity: 'error', pid, fd: 3 });
  expect(finding?.message).toContain(`process ${receiver} (obstacle)`);
  expect(finding?.remedy).toContain('externalUnixConnections');
  expect(codesOf((await failed(pid)).findings)).toEqual(['UNIX_PEER_OUTSIDE']);

  expect(await criu().preflight(pid, { externalUnixConnections: true })).toEqual([]);
  await dumped(pid, { externalUnixConnections: true });
});

test('finds a unix connection from another network namespace', async () => {
  const path = join(await temporaryDirectory(), 'socket');
  const server = createServer(() => {}).listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { pid } = await startObstacle('unix_connect', path, ['unshare', '--net']);

  const findings = await criu().preflight(pid);
  expect(findings).toMatchObject([{ code: 'UNIX_PEER_OUTSIDE', severity: 'error', fd: 3 }]);
  expect(codesOf((await failed(pid)).findings)).toEqual(['UNIX_PEER_OUTSIDE']);
  const external = [/unix\[\d+\]/.exec(findings[0]?.remedy ?? '')?.[0] ?? ''];
  const socket = external[0]?.replace('unix', 'socket:') ?? '';
  expect(await criu().preflight(pid, { external, inheritFd: { [socket]: 0 } })).toEqual([]);
  await dumped(pid, { external });
});

test('finds a pair of sockets to a process outside, and restores it only with a replacement', async () => {
  const child = spawn('sleep', ['1000'], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const pid = child.pid as number;
  killAfterTest(pid);
  const link = nameOf(0, pid);
  const external = [link.replace('socket:', 'unix')];
  const ofSockets = async (options: PreflightOptions) =>
    (await criu().preflight(pid, options)).filter(({ code }) => code === 'UNIX_PEER_OUTSIDE');
  expect(await ofSockets({})).toMatchObject([{ severity: 'error', pid, fd: 0 }]);
  const [finding] = await ofSockets({ external });
  expect(finding).toMatchObject({ severity: 'warning', pid, fd: 0 });
  expect(finding?.remedy).toContain(`inheritFd['${link}']`);
  const inheritFd = { [link]: openSync('/dev/null', 'r') };
  onTestFinished(() => closeSync(inheritFd[link] as number));
  expect(await ofSockets({ external, inheritFd })).toEqual([]);

  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu().dump(pid, { imagesDirectory, external });
  await waitGone(pid);
  const error = await failureOf(criu().restore({ imagesDirectory, external }));
  expect(error.message).toMatch(/External socket found in image.*\[option inheritFd or/);
  await criu().restore({ imagesDirectory, external, inheritFd });
  expect(await isAlive(pid)).toBe(true);
});

test('finds a process that waits in the kernel, which can be dumped when it waits no longer', async () => {
  const { pid } = await startObstacle('vfork_child');
  expect(await criu().preflight(pid)).toMatchObject([
    { code: 'UNINTERRUPTIBLE', severity: 'warning', pid },
  ]);
  const error = await failed(pid, { timeout: 1 });
  expect(error.workload).toBe('running');
  expect(codesOf(error.findings)).toEqual(['UNINTERRUPTIBLE']);
  process.kill(await childOf(pid), 'SIGKILL');
  await waitFor(async () => (await processState(pid)) === 'S', 'it waits for a signal');
  expect(await criu().preflight(pid)).toEqual([]);
  await dumped(pid);
});

test('finds a process of another user if criu lacks CAP_SYS_RESOURCE', async () => {
  const nobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  const { pid } = await startObstacle('nothing', '', nobody);
  const incapable = ['--bounding-set', '-sys_resource', '--inh-caps', '-sys_resource'] as const;
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const refused = await callWithout(['setpriv', ...incapable], 'dump', [pid, { imagesDirectory }]);
  const finding = {
    code: 'MISSING_CAPABILITY',
    severity: 'error',
    pid,
    remedy: expect.stringContaining('CAP_SYS_RESOURCE'),
  };
  expect(refused).toMatchObject({
    code: 'ERR_CRIU_NO_PERMISSION',
    workload: 'running',
    findings: [finding],
  });

  const { bounding } = (await readStatus('self'))?.capabilities ?? { bounding: 0n };
  if (!hasCapability(bounding, CAP_SYS_RESOURCE)) {
    expect(await criu().preflight(pid)).toMatchObject([finding]);
    return;
  }
  expect(await criu().preflight(pid)).toEqual([]);
  await dumped(pid);
});

test('finds a TCP connection in another network namespace', async () => {
  const up = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const { pid } = await startObstacle('tcp_connected', '', up);
  expect(codesOf(await criu().preflight(pid))).toEqual(['TCP_ESTABLISHED']);
  const error = await failed(pid);
  expect(complaints(error)).toMatch(/Connected TCP socket/);
  expect(codesOf(error.findings)).toEqual(['TCP_ESTABLISHED']);
});

test('finds a TCP connection that is not established yet, which is dumped like a connection', async () => {
  const silent = 'ip link add v0 type veth peer v1 && ip addr add 10.9.9.1/24 dev v0';
  const up = `${silent} && ip link set v0 up && ip link set v1 up && ip link set lo up && exec "$@"`;
  const { pid } = await startObstacle('tcp_connecting', '10.9.9.2', [
    ...['unshare', '--net', 'sh', '-c', up, 'sh'],
  ]);
  const findings = await criu().preflight(pid);
  expect(findings).toMatchObject([{ code: 'TCP_ESTABLISHED', severity: 'error', fd: 3 }]);
  expect(findings[0]?.message).toMatch(/10\.9\.9\.1:\d+ to 10\.9\.9\.2:9/);
  expect(complaints(await failed(pid))).toMatch(/Connected TCP socket/);
  expect(await criu().preflight(pid, { tcpClose: true })).toEqual([]);
  await dumped(pid, { tcpClose: true });
});

test('finds pipes to processes outside with their owners, and restores them with replacements', async () => {
  const [input, toInput] = pipe();
  const [fromOutput, output] = pipe();
  const { pid, ended } = await startOn([input, output], await compileFixture('echo'));
  const links = [nameOf(0, pid), nameOf(1, pid)];

  const findings = (await criu().preflight(pid)).filter(({ fd = 0 }) => fd < 2);
  expect(findings).toMatchObject([
    { code: 'PIPE_OUTSIDE', severity: 'warning', pid, fd: 0 },
    { code: 'PIPE_OUTSIDE', severity: 'warning', pid, fd: 1 },
  ]);
  findings.forEach(({ message, remedy }, fd) => {
    expect(message).toContain(`process ${process.pid} `);
    expect(remedy).toContain(links[fd]);
  });
  const inheritFd = { [links[0] as string]: input, [links[1] as string]: output };
  const given = await criu().preflight(pid, { inheritFd });
  expect(given.filter(({ fd = 0 }) => fd < 2)).toEqual([]);

  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu().dump(pid, { imagesDirectory });
  await ended;
  await criu().restore({ imagesDirectory, inheritFd });
  writeSync(toInput, 'hello\n');
  const buffer = Buffer.alloc(100);
  let text = '';
  await waitFor(() => {
    try {
      text += buffer.toString('latin1', 0, readSync(fromOutput, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return text.includes('hello');
  }, 'the restored program answers');
});

test('finds a pipe to a process outside although many files are open on the host', async () => {
  const crowd = ['sh', '-c', 'ulimit -n 10100 && exec "$@"', 'sh'];
  for (let count = 0; count < 4; count++) await startObstacle('many', '10000', crowd);
  const [readEnd, writeEnd] = pipe();
  const owner = await startOn([undefined, writeEnd], '/usr/bin/sleep', ['1000']);
  const { pid } = await startOn([readEnd], '/usr/bin/sleep', ['1000']);
  // This process, their parent, would be asked first.
  for (const end of [readEnd, writeEnd]) native().close(end);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  const findings = (await criu().preflight(pid)).filter(({ fd }) => fd === 0);
  clearInterval(timer);
  expect(findings).toMatchObject([{ code: 'PIPE_OUTSIDE', severity: 'warning', pid, fd: 0 }]);
  expect(findings[0]?.message).toContain(`also open in process ${owner.pid} (sleep)`);
  expect(ticks).toBeGreaterThan(10);
});

test('accepts a pipe whose other end is closed', async () => {
  const { pid } = await startObstacle('half_pipe');
  expect(await criu().preflight(pid)).toEqual([]);
  await dumped(pid);
});

test('finds a terminal from outside, which is dumped with shellJob or external', async () => {
  const { pid } = await startOnTerminal(await compileFixture('obstacle'), ['nothing']);
  const ours = (findings: Awaited<ReturnType<typeof failed>>['findings']) =>
    findings?.filter(({ code }) => code !== 'PIPE_OUTSIDE');

  const [finding, ...others] = ours(await criu().preflight(pid)) ?? [];
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: 'TERMINAL_OUTSIDE', severity: 'error', pid, fd: 0 });
  expect(finding?.message).toMatch(/terminal \/dev\/pts\/\d+/);
  const error = await failed(pid);
  expect(complaints(error)).toMatch(/Found slave peer index/);
  expect(ours(error.findings)).toEqual([finding]);

  for (const options of [
    { shellJob: true, orphanPtsMaster: true },
    { orphanPtsMaster: true },
    { external: [/tty\[[^\]]+\]/.exec(finding?.remedy ?? '')?.[0] ?? ''] },
  ]) {
    expect(ours(await criu().preflight(pid, options))).toEqual([]);
    await dumped(pid, options);
  }
});

test('finds a terminal in whose place the restore needs another one', async () => {
  const { pid, closed } = await startOnTerminal(await compileFixture('obstacle'), ['nothing']);
  const ofTerminals = async (options: PreflightOptions) =>
    (await criu().preflight(pid, options)).filter(({ code }) => code === 'TERMINAL_OUTSIDE');
  const [finding, ...others] = await ofTerminals({ shellJob: true });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: 'warning', pid, fd: 0 });
  expect(finding?.remedy).toContain('hooks.orphanPtsMaster');
  let master = -1;
  const hooks = {
    orphanPtsMaster(fd: number) {
      master = fd;
    },
  };
  expect(await ofTerminals({ shellJob: true, hooks })).toEqual([]);

  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu().dump(pid, { imagesDirectory, shellJob: true });
  await closed;
  const error = await failureOf(criu().restore({ imagesDirectory, shellJob: true }));
  expect(complaints(error)).toMatch(/tty/);
  await criu().restore({ imagesDirectory, hooks });
  closeAfterTest(master);
  expect(await isAlive(pid)).toBe(true);
});

test('finds a child of a session on a terminal, which is dumped with shellJob', async () => {
  const leader = await startOnTerminal(await compileFixture('obstacle'), ['children', '1']);
  await leader.output.has('ready');
  const pid = await childOf(leader.pid);
  const codes = codesOf(await criu().preflight(pid))?.filter((code) => code !== 'PIPE_OUTSIDE');
  expect(codes).toEqual(['NOT_SESSION_LEADER', 'TERMINAL_OUTSIDE']);
  expect(complaints(await failed(pid))).toMatch(/Found dangling tty/);
  const findings = await criu().preflight(pid, { shellJob: true });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  await dumped(pid, { shellJob: true });
});

test('finds /dev/tty in a process that does not have the terminal itself open', async () => {
  const file = await compileFixture('obstacle');
  // Its own streams are the terminal; those of the second are not.
  const both = await startOnTerminal(file, ['open_path', '/dev/tty']);
  await both.output.has('ready');
  const findings = await criu().preflight(both.pid, { shellJob: true });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  await dumped(both.pid, { shellJob: true });

  const script = `exec "${file}" open_path /dev/tty <>/dev/null >&0 2>&0`;
  const alias = await startOnTerminal('/bin/sh', ['-c', script]);
  await waitFor(() => {
    try {
      return nameOf(3, alias.pid) === '/dev/tty';
    } catch {
      return false;
    }
  }, 'it has /dev/tty open');
  const found = await criu().preflight(alias.pid, { shellJob: true });
  expect(found[0]).toMatchObject({ code: 'TERMINAL_OUTSIDE', severity: 'error', fd: 3 });
  const error = await failed(alias.pid, { shellJob: true });
  expect(complaints(error)).toMatch(/ctty inheritance detected/);
});

test('finds the caller in the tree, which makes the dump fail', async () => {
  await buildLibrary();
  const script = join(import.meta.dirname, '../../fixtures/without-rights.mjs');
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const inItsTree = async (method: string, options: DumpOptions) => {
    // The shell is the root of the tree, and the caller its child.
    const call = [process.execPath, script, criuPath(), method, JSON.stringify(options)];
    const { stdout } = await execa('sh', [
      '-c',
      '"$1" "$2" "$3" "$4" $$ "$5"; true',
      'sh',
      ...call,
    ]);
    return JSON.parse(stdout) as { done?: PreflightFinding[]; message?: string };
  };
  const { done } = await inItsTree('preflight', { shellJob: true });
  expect(codesOf(done)).toContain('CALLER_IN_TREE');
  const { message } = await inItsTree('dump', { shellJob: true, imagesDirectory });
  expect(message).toMatch(/criu itself is within dumped tree/);
});

test('accepts a bound socket while another process has a datagram socket of Node', async () => {
  // Not a socket of the tree at all: what others have must not disturb.
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { pid } = await startObstacle('tcp_bound');
  expect(await criu().preflight(pid)).toEqual([]);
  await dumped(pid);
});
