import { isMemory } from '../../procfs/maps.ts';
import type { MappedMemory } from '../../procfs/smaps.ts';
import { type Check, filesOf, found, nameOf } from './check.ts';
import { isIoUring, PLUGIN_REMEDY, withPlugin } from './descriptors.ts';

const ZERO_DEVICE = 0x105;

export const unsupportedMappings: Check = ({ snapshot }) => {
  const named = snapshot.processes.flatMap((process) =>
    process.mappings
      .filter(({ path }) => /^(anon_inode:|\[uprobes\])/.test(path) && !isIoUring(path))
      .slice(0, 1)
      .map(({ path }) => ({ process, path })),
  );
  const devices = filesOf(snapshot)
    .filter(({ file, descriptor }) => !descriptor && file.stats.isCharacterDevice())
    .filter(({ file }) => file.stats.rdev !== ZERO_DEVICE)
    .map(({ process, file }) => ({ process, path: file.path }));
  return [...named, ...devices].map(({ process, path }) =>
    found('UNSUPPORTED_MAPPING', process, {
      severity: withPlugin.test(path) ? 'warning' : 'error',
      message: `${nameOf(process)} has mapped ${path}, which CRIU does not support`,
      remedy: withPlugin.test(path)
        ? PLUGIN_REMEDY
        : 'No option helps: unmap it before the dump, or start the program so that it does not use it.',
    }),
  );
};

export const sysvMemory: Check = ({ snapshot: { root, processes, caller } }) =>
  root.namespaces.get('ipc') !== caller.namespaces.get('ipc')
    ? []
    : processes.flatMap((process) =>
        process.mappings
          .filter(({ path }) => path.startsWith('/SYSV'))
          .slice(0, 1)
          .map(({ inode }) =>
            found('SYSV_SHARED_MEMORY', process, {
              message: `${nameOf(process)} has attached System V shared memory ${inode} of this host's IPC namespace`,
              remedy: 'Run the tree in an IPC namespace of its own (unshare --ipc).',
            }),
          ),
      );

export const protectionKeys: Check = ({ snapshot: { processes } }) =>
  processes
    .filter((process) => process.protectionKeys > 0)
    .map((process) =>
      found('PROTECTION_KEYS', process, {
        severity: 'warning',
        message: `${nameOf(process)} has ${process.protectionKeys} mappings with memory protection keys, which CRIU does not restore`,
        remedy:
          'Start the program without memory protection keys; Node 20 has the flag --no-wasm-memory-protection-keys.',
      }),
    );

/** The kinds of memory that a dump cannot leave in the processes. Source: vma_entry_can_be_lazy() of CRIU. */
type NotLazy = 'shared memory' | 'huge pages' | 'locked memory' | 'changed pages of mapped files';

function kindOf(mapping: MappedMemory): NotLazy | undefined {
  const { permissions, inode, path, hugePages, isLocked } = mapping;
  if (permissions.endsWith('s')) return isMemory(path) ? 'shared memory' : undefined;
  if (hugePages > 0) return 'huge pages';
  if (inode !== 0) return 'changed pages of mapped files';
  return isLocked ? 'locked memory' : undefined;
}

function sizeOf(kind: NotLazy, { resident, anonymous, swapped, hugePages }: MappedMemory): number {
  return hugePages + swapped + (kind === 'shared memory' ? resident : anonymous);
}

/** What a dump copies itself while the processes are frozen, if it leaves memory in them. */
export const notLazy: Check = ({ snapshot: { root, processes }, options }) => {
  if (!options.lazyPages) return [];
  const sizes = new Map<NotLazy, number>();
  const shared = new Map<string, number>();
  for (const mapping of processes.flatMap(({ memory }) => memory)) {
    const kind = kindOf(mapping);
    if (!kind) continue;
    const size = sizeOf(kind, mapping);
    // Shared memory is dumped once; how much of it a process has mapped is all that is known.
    const id = `${mapping.device} ${mapping.inode}`;
    const known = kind === 'shared memory' ? (shared.get(id) ?? 0) : 0;
    if (kind === 'shared memory') shared.set(id, Math.max(known, size));
    sizes.set(kind, (sizes.get(kind) ?? 0) + Math.max(0, size - known));
  }
  const parts = [...sizes].filter(([, size]) => size > 0);
  const bytes = parts.reduce((sum, [, size]) => sum + size, 0);
  if (bytes === 0) return [];
  const named = parts.map(([kind, size]) => `${kind} (${size})`).join(', ');
  return [
    found('NOT_LAZY', root, {
      severity: 'info',
      bytes,
      message: `the dump copies ${bytes} bytes while the processes are frozen, because they cannot stay in the processes: ${named}`,
      remedy:
        'Nothing has to be done; with less of such memory the processes are frozen for less time.',
    }),
  ];
};
