import { linkOf, linkOfSync, namesIn, type Pid } from './read.ts';

/** The path of an open descriptor in /proc, which can be opened, read as a link, or passed to stat(2). */
export function descriptorPath(pid: Pid, fd: number): string {
  return `/proc/${pid}/fd/${fd}`;
}

/** Lists the open descriptors of a process; none if it is gone or ending. */
export async function readDescriptors(pid: Pid): Promise<number[]> {
  return (await namesIn(`/proc/${pid}/fd`)).map(Number);
}

/** Reads what a descriptor leads to, such as `/etc/hosts` or `socket:[123]`; undefined if it is closed. */
export function readDescriptorLink(pid: Pid, fd: number): Promise<string | undefined> {
  return linkOf(descriptorPath(pid, fd));
}

/** A socket that a process has open. */
export interface OpenSocket {
  readonly fd: number;
  readonly inode: number;
}

/** Lists the open sockets of a process. */
export async function readSockets(pid: Pid): Promise<OpenSocket[]> {
  const sockets = (await readDescriptors(pid)).map(async (fd) => {
    const link = await readDescriptorLink(pid, fd);
    const inode = /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1];
    return inode === undefined ? [] : { fd, inode: Number(inode) };
  });
  return (await Promise.all(sockets)).flat();
}

/** The same as {@link readDescriptorLink}, synchronously. */
export function readDescriptorLinkSync(pid: Pid, fd: number): string | undefined {
  return linkOfSync(descriptorPath(pid, fd));
}
