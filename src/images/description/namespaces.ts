import type { CgroupEntry, MntEntry, TaskKobjIdsEntry } from '../../generated/images/types.ts';
import type {
  DescribedCgroups,
  DescribedMount,
  DescribedNamespace,
} from './checkpoint-description.ts';
import type { ImageDirectory } from './image-directory.ts';

type Kind = DescribedNamespace['kind'];

/** The field with the number of each namespace, and its flag of clone(2). */
const KINDS: readonly (readonly [Kind, keyof TaskKobjIdsEntry, number])[] = [
  ['pid', 'pid_ns_id', 0x20000000],
  ['net', 'net_ns_id', 0x40000000],
  ['ipc', 'ipc_ns_id', 0x08000000],
  ['uts', 'uts_ns_id', 0x04000000],
  ['mnt', 'mnt_ns_id', 0x00020000],
  ['user', 'user_ns_id', 0x10000000],
  ['cgroup', 'cgroup_ns_id', 0x02000000],
  ['time', 'time_ns_id', 0x00000080],
];

/** File systems by their numbers in the images. Source: CRIU's images/mnt.proto. */
const FILE_SYSTEMS =
  'unsupported proc sysfs devtmpfs binfmt_misc tmpfs devpts simfs pstore securityfs fusectl debugfs cgroup aufs mqueue fuse auto overlay autofs tracefs cgroup2'.split(
    ' ',
  );
/** The type of a file system that has no number. */
const AUTO = 16;
/** What CRIU has in place of a name for external mounts that it has found itself, and for mounted devices. */
const DEVICE = 'CRIU:EXTERNAL_DEV';

/** The kind of a namespace by its flag of clone(2). */
export function namespaceKindOf(flag: number): string {
  return KINDS.find(([, , own]) => own === flag)?.[0] ?? 'unknown';
}

/** Describes all namespaces of the processes. */
export async function describeNamespaces(
  images: ImageDirectory,
  ids: ReadonlyMap<number, TaskKobjIdsEntry>,
  outside: TaskKobjIdsEntry | undefined,
): Promise<DescribedNamespace[]> {
  const found = new Map<string, DescribedNamespace & { readonly pids: number[] }>();
  for (const [pid, own] of ids) {
    for (const [kind, field] of KINDS) {
      const id = own[field];
      if (id === undefined) continue;
      const known = found.get(`${kind} ${id}`);
      if (known) {
        known.pids.push(pid);
        continue;
      }
      const isOwn = id !== outside?.[field];
      const details = isOwn ? await detailsOf(images, kind, id) : nothing;
      found.set(`${kind} ${id}`, { kind, id, isOwn, ...details, pids: [pid] });
    }
  }
  return [...found.values()];
}

const nothing = { external: undefined, hostname: undefined, devices: undefined };

async function detailsOf(images: ImageDirectory, kind: Kind, id: number) {
  switch (kind) {
    case 'uts':
      return { ...nothing, hostname: (await images.first(`utsns-${id}.img`, 'UTSNS'))?.nodename };
    case 'pid':
      return { ...nothing, external: (await images.first(`pidns-${id}.img`, 'PIDNS'))?.ext_key };
    case 'net': {
      const external = (await images.first(`netns-${id}.img`, 'NETNS'))?.ext_key;
      const devices = await images.messages(`netdev-${id}.img`, 'NETDEV');
      return { ...nothing, external, devices: devices.map(({ name }) => name) };
    }
    default:
      return nothing;
  }
}

/** Describes the mounts of the mount namespaces that the tree had of its own. */
export async function describeMounts(images: ImageDirectory): Promise<DescribedMount[]> {
  const mounts: DescribedMount[] = [];
  for (const name of images.names) {
    const [, namespace] = /^mountpoints-(\d+)\.img$/.exec(name) ?? [];
    if (namespace === undefined) continue;
    for (const mount of await images.messages(name, 'MNTS')) {
      mounts.push(describeMount(Number(namespace), mount));
    }
  }
  return mounts;
}

function describeMount(namespace: number, mount: MntEntry): DescribedMount {
  const { mountpoint, root, source, options, fstype, fsname, ext_mount, ext_key } = mount;
  const external = ext_mount ? root : ext_key && ext_key !== DEVICE ? ext_key : undefined;
  const type = fstype === AUTO ? (fsname ?? 'auto') : (FILE_SYSTEMS[fstype] ?? String(fstype));
  return {
    namespace,
    // CRIU writes them relative to the root of the namespace.
    mountpoint: mountpoint.replace(/^\.?\/*/, '/'),
    root,
    source,
    type: external === undefined ? type : 'external',
    options,
    external,
  };
}

/** Describes which processes were in which control groups. */
export function describeCgroups(
  cgroups: CgroupEntry | undefined,
  sets: ReadonlyMap<number, number>,
): DescribedCgroups[] {
  const members = new Map<number, number[]>();
  for (const [pid, set] of sets) {
    const pids = members.get(set);
    if (pids) pids.push(pid);
    else members.set(set, [pid]);
  }
  return (cgroups?.sets ?? []).flatMap(({ id, ctls = [] }) => {
    const pids = members.get(id);
    if (pids === undefined) return [];
    // The unified hierarchy has the empty name.
    const groups = ctls.map(({ name, path }) => ({ controller: name || 'unified', path }));
    return { pids, groups };
  });
}
