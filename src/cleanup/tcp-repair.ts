import { readdir, readFile, readlink } from 'node:fs/promises';
import { native } from '../native/index.ts';
import { openPidfd } from '../process/exit.ts';

/** One end of a TCP connection. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/** A connected TCP socket of a process. */
export interface Connection {
  readonly pid: number;
  readonly fd: number;
  readonly family: 4 | 6;
  readonly near: End;
  readonly far: End;
}

/** The connected TCP sockets of processes, as far as they can be looked at. */
export async function connectionsOf(pids: readonly number[]): Promise<Connection[]> {
  const tables = new Map<string, Promise<Map<string, Facts>>>();
  const found = await Promise.all(
    pids.map(async (pid) => {
      const sockets = await socketsOf(pid);
      if (sockets.length === 0) return [];
      const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
      const known = tables.get(namespace) ?? tcpSockets(pid);
      tables.set(namespace, known);
      const table = await known;
      return sockets.flatMap(({ fd, inode }) => {
        const facts = table.get(inode);
        return facts ? { pid, fd, ...facts } : [];
      });
    }),
  );
  return found.flat();
}

/**
 * Takes a connection out of the state in which CRIU reads it, and in which it moves no data: whether
 * it was in it. SO_REUSEADDR is on afterwards, for what it was before is lost with that state.
 */
export function endRepair({ pid, fd }: Connection): boolean {
  const pidfd = openPidfd(pid);
  if (pidfd === undefined) return false;
  try {
    return native().endTcpRepair(pidfd, fd);
  } catch (error) {
    // It has closed it meanwhile.
    if (['EBADF', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      return false;
    }
    throw error;
  } finally {
    native().close(pidfd);
  }
}

type Facts = Pick<Connection, 'family' | 'near' | 'far'>;

async function socketsOf(pid: number): Promise<{ fd: number; inode: string }[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const sockets = await Promise.all(
    names.map(async (name) => {
      const link = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
      return inode === undefined ? [] : { fd: Number(name), inode };
    }),
  );
  return sockets.flat();
}

/** The connected sockets of the network namespace that a process is in, by their inodes. */
async function tcpSockets(pid: number): Promise<Map<string, Facts>> {
  const sockets = new Map<string, Facts>();
  for (const name of ['tcp', 'tcp6']) {
    const table = await readFile(`/proc/${pid}/net/${name}`, 'latin1').catch(() => '');
    for (const line of table.split('\n').slice(1)) {
      const [, near = '', far = '', , , , , , , inode = ''] = line.trim().split(/\s+/);
      if (!far || far.endsWith(':0000')) continue;
      sockets.set(inode, factsOf(near, far));
    }
  }
  return sockets;
}

/** Reads a pair of addresses as /proc/net/tcp and tcp6 have them. CRIU takes IPv4 in IPv6 as IPv4. */
export function factsOf(near: string, far: string): Facts {
  const ends = [near, far].map((text) => {
    const [digits = '', port = ''] = text.split(':');
    // Each word is in the byte order of this machine.
    const bytes = digits.match(/.{8}/g)?.flatMap(bytesOf) ?? [];
    return { bytes, port: Number.parseInt(port, 16) };
  }) as [{ bytes: number[]; port: number }, { bytes: number[]; port: number }];
  const mapped = ends[1].bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  const [a, b] = ends.map(({ bytes, port }) => ({
    address: addressOf(mapped ? bytes.slice(-4) : bytes),
    port,
  })) as [End, End];
  return { family: mapped || ends[1].bytes.length === 4 ? 4 : 6, near: a, far: b };
}

function bytesOf(word: string): number[] {
  const bytes = [...Buffer.from(word, 'hex')];
  return littleEndian ? bytes.reverse() : bytes;
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function addressOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  ).join(':');
}
