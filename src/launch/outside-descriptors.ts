import { fstatSync } from 'node:fs';
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
      return connected.has(Number(inode)) ? { number, name: link, external: `unix[${inode}]` } : [];
    }
    if (!/^\/dev\/(pts\/\d|tty)/.test(link)) return [];
    const { rdev, dev } = fstatSync(fd);
    const name = `tty[${rdev.toString(16)}:${dev.toString(16)}]`;
    return { number, name, external: name };
  });
}
