import { existsSync, statSync } from 'node:fs';
import type { DumpOptions } from '../index.ts';
import { externalFiles } from '../launch/outside-streams.ts';
import { frozenCgroupOf } from '../procfs/cgroup.ts';
import type { ContainerRecord } from './container-record.ts';
import { externalMountsOf } from './external-mounts.ts';
import type { RuntimeNamespace, RuntimeState } from './runtime-state.ts';

/** CRIU's configuration file for runc, which an annotation of the container replaces. */
const DEFAULT_CONFIG = '/etc/criu/runc.conf';
const CONFIG_LABEL = 'org.criu.config';

/** The names by which runc gives a restore the namespaces that the container joined. */
const EXTERNAL_NAMESPACES: Readonly<Record<string, { kind: string; name: string }>> = {
  NEWNET: { kind: 'net', name: 'extRootNetNS' },
  NEWPID: { kind: 'pid', name: 'extRootPidNS' },
};

/** The options of a dump that a container needs: those of runc's own request. */
export type ContainerRequest = Pick<
  DumpOptions,
  'root' | 'extMnt' | 'external' | 'emptyNs' | 'freezeCgroup' | 'orphanPtsMaster' | 'configFile'
> & { readonly manageCgroups: true };

/** Source: runc's libcontainer/criu_linux.go. */
export async function dumpRequestOf(
  state: RuntimeState,
  streams: ContainerRecord['streams'],
): Promise<ContainerRequest> {
  const external = [
    ...joinedNamespaces(state).map(
      ({ kind, name, path }) => `${kind}[${statSync(path).ino}]:${name}`,
    ),
    ...externalFiles(streams),
  ];
  const configFile = configFileOf(state.labels);
  // A paused container is thawed by CRIU for the dump. Others are not frozen by their cgroup, as runc does it, but by
  // ptrace, which stops the same processes 100 ms sooner: CRIU looks only that often whether they are frozen.
  const frozen = frozenCgroupOf(state.pid);
  return {
    root: state.rootfs,
    manageCgroups: true,
    orphanPtsMaster: true,
    extMnt: await externalMountsOf(state),
    ...(external.length > 0 && { external }),
    ...(hasOwnNetwork(state) && { emptyNs: ['network'] as const }),
    ...(configFile !== undefined && { configFile }),
    ...(frozen !== undefined && { freezeCgroup: frozen }),
  };
}

/** A namespace that CRIU does not restore, and expects to be given. */
export interface JoinedNamespace {
  readonly kind: string;
  readonly name: string;
  readonly path: string;
}

/** The network and pid namespaces that the container joined by their paths. */
export function joinedNamespaces({
  namespaces,
}: {
  readonly namespaces: readonly RuntimeNamespace[];
}): JoinedNamespace[] {
  return namespaces.flatMap(({ type, path }) => {
    const known = EXTERNAL_NAMESPACES[type];
    return known && path !== '' ? [{ ...known, path }] : [];
  });
}

/** True if the runtime has made the network namespace: who restores the container fills it. */
export function hasOwnNetwork({
  namespaces,
}: {
  readonly namespaces: readonly RuntimeNamespace[];
}): boolean {
  return namespaces.some(({ type, path }) => type === 'NEWNET' && path === '');
}

/** An empty annotation means none. CRIU ignores a file that does not exist. */
export function configFileOf(labels: ReadonlyMap<string, string>): string | undefined {
  const path = labels.get(CONFIG_LABEL) ?? DEFAULT_CONFIG;
  return path !== '' && existsSync(path) ? path : undefined;
}
