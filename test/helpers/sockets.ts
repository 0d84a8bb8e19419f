import { readdir, readFile, readlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { native, type Packet } from '../../src/native/index.ts';
import { watchExit } from '../../src/process/exit.ts';
import { compileFixture } from './compile.ts';
import { waitFor } from './workload.ts';

/** An IPv4 address of this host that only this test process uses, so that its ports stay free. */
export const ownAddress = `127.${1 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${1 + (process.pid & 127)}`;

/** A Node server on a free port. Closed after the test. */
export async function listening(address = '127.0.0.1'): Promise<{ server: Server; port: number }> {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, address, resolve);
  });
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

/** A port that was free a moment ago, at an address that no other process uses. */
export async function freePort(address: string): Promise<number> {
  const { server, port } = await listening(address);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The two ends of a TCP connection, from which Node does not read. Destroyed after the test. */
export async function connection(): Promise<[Socket, Socket]> {
  const { server, port } = await listening();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect({ port, host: '127.0.0.1' }).pause();
  await new Promise((resolve, reject) => near.once('connect', resolve).once('error', reject));
  const far = await accepted;
  server.close();
  for (const end of [near, far]) {
    end.on('error', () => {});
    onTestFinished(() => void end.destroy());
  }
  return [near, far];
}

/** Resolves with what a socket receives, once that is so much. */
export async function readBytes(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  socket.on('data', (data: Buffer) => {
    chunks.push(data);
    length += data.length;
  });
  socket.resume();
  await waitFor(() => length >= size, `${size} bytes arrive`);
  return Buffer.concat(chunks);
}

/** A unix datagram socket, which Node itself cannot make. Closed after the test. */
export async function datagramSocket(): Promise<number> {
  const [here, there] = native().socketpair();
  const file = await compileFixture('send-fds');
  const descriptors = [[3, there]] as const;
  const { pid, pidfd } = await native().spawn({ file, args: [file, '-'], env: [], descriptors });
  native().close(there);
  let packet: ReturnType<ReturnType<typeof native>['receive']> = null;
  await waitFor(() => {
    packet ??= native().receive(here);
    return packet !== null;
  }, 'the socket arrives');
  native().close(here);
  await watchExit(pidfd).exited;
  const [fd] = (packet as unknown as Packet).fds;
  if (fd === undefined) throw new Error(`process ${pid} has sent no socket`);
  onTestFinished(() => native().close(fd));
  return fd;
}

/** The TCP addresses at which a process listens, as `address:port` in the format of /proc/net/tcp. */
export async function listensAt(pid: number): Promise<string[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) =>
      readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''),
    ),
  );
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  );
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === LISTEN && inodes.has(columns[9] ?? ''))
    .map((columns) => columns[1] ?? '');
}

/** The timers of the connections at a port of this host, in the format of /proc/net/tcp. */
export async function timersAt(place: string): Promise<(string | undefined)[]> {
  return (await rowsAt(place))
    .filter((columns) => columns[3] === ESTABLISHED)
    .map((columns) => columns[5]?.split(':')[0]);
}

/** True if a process has a socket at a port of this host that does not listen. */
export async function isConnectedAt(place: string): Promise<boolean> {
  return (await rowsAt(place)).some((columns) => columns[3] !== LISTEN && columns[9] !== '0');
}

/** The columns of /proc/net/tcp for the sockets at a port of this host. */
async function rowsAt(place: string): Promise<string[][]> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  return table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1] === place);
}

/** Formats an IPv4 address and a port as /proc/net/tcp does. */
export function inProc(address: string, port: number): string {
  const bytes = address.split('.').map((byte) => hex(Number(byte), 2));
  return `${bytes.reverse().join('')}:${hex(port, 4)}`;
}

const ESTABLISHED = '01';
const LISTEN = '0A';
const hex = (number: number, digits: number) =>
  number.toString(16).toUpperCase().padStart(digits, '0');
