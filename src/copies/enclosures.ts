import { existsSync } from 'node:fs';
import { NEW_NAMESPACE } from '../launch/clone-flags.ts';
import { launcher } from '../native/built-files.ts';
import type { Enclosure } from '../worker/enclosure.ts';
import { type HostMount, SHARED_MEMORY } from './host-mounts.ts';
import type { Scratch } from './scratch.ts';
import type { TemplateNamespace } from './template-options.ts';

const flagOf: Readonly<Record<TemplateNamespace, number>> = {
  ipc: NEW_NAMESPACE.ipc,
  // It is made beforehand: see the launcher's step `network`.
  net: 0,
  uts: NEW_NAMESPACE.uts,
};

/** The mounts of a template: those of the host, and the shared memory of its own if the host has such a directory. */
export function allMounts(hostMounts: readonly HostMount[]): readonly HostMount[] {
  return existsSync(SHARED_MEMORY.path) ? [...hostMounts, SHARED_MEMORY] : hostMounts;
}

/**
 * For the program of a template: a root with its mounts.
 * @param networkFd the number of a descriptor in the program, of the network namespace to enter
 */
export function templateEnclosure(
  scratch: Scratch,
  mounts: readonly HostMount[],
  namespaces: readonly TemplateNamespace[],
  networkFd: number | undefined,
): Enclosure {
  const inRoot = (path: string) => `${scratch.root}${path}`;
  const steps = mounts.flatMap(({ path }) =>
    path === SHARED_MEMORY.path ? ['tmpfs', inRoot(path)] : ['bind', path, inRoot(path)],
  );
  return {
    cloneFlags: namespaces.reduce(
      (flags, name) => flags | flagOf[name],
      NEW_NAMESPACE.pid | NEW_NAMESPACE.mnt,
    ),
    launcher: launcher(),
    steps: [
      ...(networkFd === undefined ? [] : ['network', String(networkFd)]),
      ...['private', 'bind', '/', scratch.root, ...steps],
      ...['proc', inRoot('/proc'), 'root', scratch.root],
    ],
  };
}

/** For the criu that restores a copy: it finds in the scratch directory what the copy gets. */
export function restoreEnclosure(scratch: Scratch, mergeMemory: boolean): Enclosure {
  const mounts = ['private', 'bind', '/', scratch.root, 'tmpfs', scratch.sharedMemory];
  return {
    cloneFlags: NEW_NAMESPACE.mnt,
    launcher: launcher(),
    steps: mergeMemory ? [...mounts, 'merge'] : mounts,
  };
}

/** The option `external` of the dump of a template. */
export function externalAtDump(mounts: readonly HostMount[]): string[] {
  return mounts.map(({ path, name }) => `mnt[${path}]:${name}`);
}

/** The option `external` of the restore of a copy. */
export function externalAtRestore(mounts: readonly HostMount[], scratch: Scratch): string[] {
  return mounts.map(({ path, name }) => {
    const source = name === SHARED_MEMORY.name ? scratch.sharedMemory : path;
    return `mnt[${name}]:${source}`;
  });
}
