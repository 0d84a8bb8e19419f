import { BadStream } from '../../stream/byte-input.ts';
import type { TarEntry } from './tar-entry.ts';

/** The member of a checkpoint archive that an entry is. */
export interface ArchiveMember {
  readonly name: string;
  /** `parent` is the link of incremental images to those of the pre-checkpoint. */
  readonly kind: 'file' | 'directory' | 'parent';
}

/** The directory of CRIU's images. */
export const IMAGES = 'checkpoint';
/** The changes of the root file system, and what was removed from it. */
export const ROOTFS_DIFF = 'rootfs-diff.tar';
export const DELETED_FILES = 'deleted.files';

/** The files that podman, CRI-O and containerd put into an archive, besides those in directories. */
const FILES: ReadonlySet<string> = new Set([
  ...['config.dump', 'spec.dump', 'status.dump', 'status', 'network.status', 'bind.mounts'],
  ...[ROOTFS_DIFF, DELETED_FILES, 'devshm-checkpoint.tar', 'ctr.log', 'container.log'],
  ...['dump.log', 'restore.log', 'stats-dump', 'stats-restore', 'pod.options', 'pod.dump'],
  'io.kubernetes.cri-o.LogPath',
]);
const DIRECTORIES: ReadonlySet<string> = new Set([
  ...[IMAGES, 'pre-checkpoint', 'volumes', 'artifacts'],
]);
/** Names of CRIU's images, of volumes and of artifacts. */
const NAME = /^[\w@:+=,-][\w.@:+=,-]{0,250}$/;
const PARENT = { path: `${IMAGES}/parent`, target: '../pre-checkpoint' } as const;

/**
 * The member that an entry is; undefined for one that no archive is known to have.
 * @throws BadStream if the entry leads out of the directory that the archive is unpacked into, or is a link or
 * device where there must be a file
 */
export function memberOf(entry: TarEntry): ArchiveMember | undefined {
  const name = plainPath(entry.path);
  const [top = '', inner, ...deeper] = name.split('/');
  if (name === '') return undefined;
  if (name === PARENT.path && entry.type === 'symlink' && entry.target === PARENT.target) {
    return { name, kind: 'parent' };
  }
  const isDirectory = inner === undefined && DIRECTORIES.has(top);
  const isInside = inner !== undefined && deeper.length === 0 && DIRECTORIES.has(top);
  const isFile = inner === undefined ? FILES.has(top) : isInside && NAME.test(inner);
  if (!isDirectory && !isFile) return undefined;
  const kind = isDirectory ? 'directory' : 'file';
  if (entry.type === kind) return { name, kind };
  throw new BadStream(`${shownPath(name)} is a ${entry.type}, not a ${kind}`, 0);
}

/** The path of an entry without what means nothing; empty for the top. @throws BadStream if it leads outside */
export function plainPath(path: string): string {
  if (path.startsWith('/')) throw new BadStream(`the path ${shownPath(path)} is absolute`, 0);
  const components = path.split('/').filter((component) => !['', '.'].includes(component));
  if (components.includes('..'))
    throw new BadStream(`the path ${shownPath(path)} leads upwards`, 0);
  if (path.includes('\0') || path.length > 4096) throw new BadStream('a path is not valid', 0);
  return components.join('/');
}

/** A path as an error shows it: on one line, and not too long. */
export function shownPath(path: string): string {
  const shown = JSON.stringify(Buffer.from(path, 'latin1').toString());
  return shown.length > 100 ? `${shown.slice(0, 97)}..."` : shown;
}
