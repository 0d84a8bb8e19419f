import { fstatSync, type Stats } from 'node:fs';
import { readDescriptorLinkSync } from '../procfs/descriptors.ts';
import { readConnectedUnixSockets } from '../procfs/net-unix.ts';

/** A descriptor whose other end is outside the program that has it. */
export interface OutsideDescriptor {
  /** Its number in the program. */
  readonly number: number;
  /** CRIU's name of the descriptor: a key of `inheritFd` at a restore. */
  readonly name: string;
  /** The entry that `external` needs at a dump. */
  readonly external?: string;
}

/** CRIU's name of a unix socket in the option external. */
export const externalUnix = (inode: number) => `unix[${inode}]`;

/** CRIU's name of a file in the option external. @param mount the id of its mount */
export function externalFile(mount: number, inode: number): string {
  return `file[${mount.toString(16)}:${inode.toString(16)}]`;
}

/** CRIU's name of a terminal in the option external. */
export function externalTerminal({ rdev, dev }: Pick<Stats, 'rdev' | 'dev'>): string {
  return `tty[${rdev.toString(16)}:${dev.toString(16)}]`;
}

/** What a handle of the program tells of them. */
export function namesOf(outside: readonly OutsideDescriptor[]) {
  return {
    inheritNames: Object.fromEntries(outside.map(({ number, name }) => [number, name])),
    external: [...new Set(outside.flatMap(({ external }) => external ?? []))],
  };
}

/**
 * Finds the descriptors whose other end is outside the program: pipes, connected unix sockets and
 * terminals. Descriptors that CRIU opens again by itself, such as a file by its path, are left out.
 * @param map `[number in the program, number here]` of each descriptor
 */
export async function outsideDescriptors(
  map: readonly (readonly [number, number])[],
): Promise<OutsideDescriptor[]> {
  const links = map.map(([number, fd]) => ({
    number,
    fd,
    link: readDescriptorLinkSync('self', fd) ?? '',
  }));
  const isSocket = links.some(({ link }) => link.startsWith('socket:'));
  const connected = isSocket ? await readConnectedUnixSockets('self') : new Set<number>();
  return links.flatMap(({ number, fd, link }) => {
    const [, kind, inode = ''] = /^(pipe|socket):\[(\d+)\]$/.exec(link) ?? [];
    if (kind === 'pipe') return { number, name: link };
    if (kind === 'socket') {
      return connected.has(Number(inode))
        ? { number, name: link, external: externalUnix(Number(inode)) }
        : [];
    }
    if (!/^\/dev\/(pts\/\d|tty)/.test(link)) return [];
    const name = externalTerminal(fstatSync(fd));
    return { number, name, external: name };
  });
}
