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
