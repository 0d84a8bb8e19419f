import type {
  CoreEntry,
  FdinfoEntry,
  FsEntry,
  InventoryEntry,
  MmEntry,
  PstreeEntry,
  TaskKobjIdsEntry,
} from '../../generated/images/types.ts';
import { eachOf } from '../../procfs/read.ts';
import type { FileUser } from './described-file.ts';
import type { DescribedThread } from './described-process.ts';
import type { ImageDirectory } from './image-directory.ts';

/** What the images have of a process. A zombie has a core and nothing else. */
export interface ProcessImages {
  readonly entry: PstreeEntry;
  readonly core: CoreEntry;
  readonly threads: readonly DescribedThread[];
  readonly ids: TaskKobjIdsEntry | undefined;
  readonly fs: FsEntry | undefined;
  readonly mm: MmEntry | undefined;
  readonly descriptors: readonly FdinfoEntry[];
}

/** Reads the images of all processes, in the order of the tree. @throws CriuError ERR_CRIU_BAD_IMAGE */
export async function readProcesses(
  images: ImageDirectory,
  inventory: InventoryEntry,
): Promise<ProcessImages[]> {
  // A pre-dump has no tree, and no processes either.
  const hasCores = [...images.names].some((name) => /^core-\d+\.img$/.test(name));
  if (hasCores) await images.required('pstree.img', 'PSTREE');
  const tree = await images.messages('pstree.img', 'PSTREE');
  // Processes may share their descriptors, and the image of them.
  const tables = new Map<number, Promise<FdinfoEntry[]>>();
  const descriptorsOf = (id: number) => {
    const known = tables.get(id) ?? images.messages(`fdinfo-${id}.img`, 'FDINFO');
    tables.set(id, known);
    return known;
  };
  return await eachOf(tree, async (entry) => {
    const { pid } = entry;
    const core = await images.required(`core-${pid}.img`, 'CORE');
    const ids = (await images.first(`ids-${pid}.img`, 'IDS')) ?? core.ids;
    const fs = await images.first(`fs-${pid}.img`, 'FS');
    const mm = await images.first(`mm-${pid}.img`, 'MM');
    const table = inventory.fdinfo_per_id === false ? pid : ids?.files_id;
    const descriptors = table === undefined ? [] : await descriptorsOf(table);
    const threads = await readThreads(images, entry, core);
    return { entry, core, threads, ids, fs, mm, descriptors };
  });
}

/** The ids of the threads of a zombie are absent. */
async function readThreads(
  images: ImageDirectory,
  { pid, threads = [] }: PstreeEntry,
  core: CoreEntry,
): Promise<DescribedThread[]> {
  const name = core.tc?.comm ?? '';
  const others = await eachOf(threads.slice(1), async (tid) => {
    const own = await images.first(`core-${tid}.img`, 'CORE');
    return { tid, name: own?.thread_core?.comm ?? name };
  });
  return [{ tid: threads[0] ?? pid, name }, ...others];
}

/** The descriptors of each file, in the order of the processes. */
export function usersOf(processes: readonly ProcessImages[]): Map<number, FileUser[]> {
  const users = new Map<number, FileUser[]>();
  for (const { entry, descriptors } of processes) {
    for (const { id, fd } of descriptors) {
      const user = { pid: entry.pid, fd };
      const known = users.get(id);
      if (known) known.push(user);
      else users.set(id, [user]);
    }
  }
  return users;
}
