import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fdinfo_entry,
  file_entry,
  file_lock_entry,
  fs_entry,
  remap_file_path_entry,
} from '../generated/images/files.ts';
import { cgroup_entry } from '../generated/images/host.ts';
import { inventory_entry, task_kobj_ids_entry } from '../generated/images/inventory.ts';
import { mm_entry } from '../generated/images/memory.ts';
import { mnt_entry } from '../generated/images/mounts.ts';
import { pstree_entry } from '../generated/images/pstree.ts';
import { core_entry } from '../generated/images/tasks.ts';
import { tty_info_entry } from '../generated/images/terminals.ts';
import type {
  CgroupEntry,
  FileEntry,
  FileLockEntry,
  MntEntry,
  PstreeEntry,
  RemapFilePathEntry,
  TaskKobjIdsEntry,
  TtyInfoEntry,
} from '../generated/images/types.ts';
import { eachOf } from '../procfs/read.ts';
import { decode, type Plain } from '../protobuf/decode.ts';
import type { MessageType } from '../protobuf/message-type.ts';
import { BadImage, entriesOf } from './image-file.ts';
import { INVENTORY } from './image-names.ts';

/** Bits of the status of a mapping with a file. Source: CRIU's criu/include/image.h. */
const FILE_MAPPED = (1 << 6) | (1 << 7);

/** What the images say of a dumped tree, as far as a preflight of its restore needs it. */
export interface Checkpoint {
  /** All processes, the root first. */
  readonly processes: readonly DumpedProcess[];
  /** The files of descriptors, directories and mappings, by id. */
  readonly files: ReadonlyMap<number, Plain<FileEntry>>;
  readonly terminals: ReadonlyMap<number, TtyInfoEntry>;
  /** Files that had no name of their own at the dump. */
  readonly remaps: readonly RemapFilePathEntry[];
  readonly locks: readonly Plain<FileLockEntry>[];
  /** The mounts of the mount namespaces that the tree had of its own. */
  readonly mounts: readonly MntEntry[];
  /** The control groups that the processes were in, if criu was not in the same ones. */
  readonly cgroups: CgroupEntry | undefined;
  /** The namespaces of the criu that made the dump. */
  readonly outside: TaskKobjIdsEntry | undefined;
  /** The dump had the option tcpClose. */
  readonly tcpClose: boolean;
}

/** A process in the images; a zombie has no files. */
export interface DumpedProcess {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  /** The ids of all threads but the first, whose id is the pid. */
  readonly threads: readonly number[];
  readonly name: string;
  readonly ids: TaskKobjIdsEntry | undefined;
  readonly descriptors: readonly DumpedDescriptor[];
  /** The ids of the files without a descriptor, with their role for the process. */
  readonly files: readonly { readonly role: string; readonly id: number }[];
}

export interface DumpedDescriptor {
  readonly fd: number;
  /** The id of its file. */
  readonly id: number;
}

/** True if the tree had a namespace that criu was not in, which a restore makes anew. */
export function hasOwnNamespace(
  { processes: [root], outside }: Checkpoint,
  kind: 'pid_ns_id' | 'net_ns_id' | 'mnt_ns_id',
): boolean {
  const own = root?.ids?.[kind];
  return own !== undefined && own !== outside?.[kind];
}

/** Reads the images of a dump. @throws BadImage */
export async function readCheckpoint(directory: string): Promise<Checkpoint> {
  const read = async <Out>(name: string, type: MessageType<Out>): Promise<Plain<Out>[]> => {
    const entries = await entriesOf(join(directory, name));
    try {
      return entries.map((entry) => decode(type, entry));
    } catch (error) {
      throw new BadImage(
        `${name} has an entry that cannot be decoded: ${(error as Error).message}`,
      );
    }
  };
  /** Reads an image that CRIU writes only if it has entries. */
  const readIfThere = async <Out>(name: string, type: MessageType<Out>): Promise<Plain<Out>[]> =>
    await read(name, type).catch((error: unknown) => {
      if (error instanceof BadImage && error.isMissing) return [];
      throw error;
    });

  const readProcess = async (entry: PstreeEntry): Promise<DumpedProcess> => {
    // The first thread is the process itself, and undefined for a zombie.
    const { pid, pgid: group, sid: session, threads: [, ...threads] = [] } = entry;
    const [core] = await read(`core-${pid}.img`, core_entry);
    const [ids] = await readIfThere(`ids-${pid}.img`, task_kobj_ids_entry);
    const [directories] = await readIfThere(`fs-${pid}.img`, fs_entry);
    const [memory] = await readIfThere(`mm-${pid}.img`, mm_entry);
    const open = ids ? await readIfThere(`fdinfo-${ids.files_id}.img`, fdinfo_entry) : [];
    const mapped = (memory?.vmas ?? []).filter(({ status }) => status & FILE_MAPPED);
    const files = [
      ...(memory ? [{ role: 'the program', id: memory.exe_file_id }] : []),
      ...(directories ? [{ role: 'the working directory', id: directories.cwd_id }] : []),
      ...(directories ? [{ role: 'the root directory', id: directories.root_id }] : []),
      ...mapped.map(({ shmid }) => ({ role: 'a mapped file', id: shmid })),
    ];
    const descriptors = open.map(({ fd, id }) => ({ fd, id }));
    const name = core?.tc?.comm ?? '';
    return { pid, group, session, threads, name, ids, descriptors, files };
  };

  const [inventory] = await read(INVENTORY, inventory_entry);
  const tree = await read('pstree.img', pstree_entry);
  const names = await readdir(directory);
  const mountpoints = names.filter((name) => /^mountpoints-\d+\.img$/.test(name));
  const files = await readIfThere('files.img', file_entry);
  const terminals = await readIfThere('tty-info.img', tty_info_entry);
  const mounts = await eachOf(mountpoints, (name) => read(name, mnt_entry));
  return {
    processes: await eachOf(tree, readProcess),
    files: new Map(files.map((file) => [file.id, file])),
    terminals: new Map(terminals.map((terminal) => [terminal.id, terminal])),
    remaps: await readIfThere('remap-fpath.img', remap_file_path_entry),
    locks: await readIfThere('filelocks.img', file_lock_entry),
    mounts: mounts.flat(),
    cgroups: (await readIfThere('cgroup.img', cgroup_entry))[0],
    outside: inventory?.root_ids,
    tcpClose: inventory?.tcp_close ?? false,
  };
}
