import type { PreflightFinding } from '../../finding.ts';
import type { PreflightOptions } from '../options.ts';
import type { CallerFacts, ProcessFacts } from '../snapshot.ts';
import { type Check, found, isExternal, nameOf } from './check.ts';

export const namespaceInit: Check = ({ snapshot: { root, caller }, options }) => {
  const own = root.namespaces.get('pid');
  if (!own || own === caller.namespaces.get('pid') || root.status.pids.at(-1) === 1) return [];
  if (isExternal(options, own.replace(':', ''))) return [];
  return [
    found('NOT_NAMESPACE_INIT', root, {
      message: `${nameOf(root)} is not the first process of its pid namespace ${own}`,
      remedy: 'Dump the first process of the namespace, whose tree contains all its processes.',
    }),
  ];
};

/** What the checks of namespaces read of a tree. */
export interface TreeNamespaces {
  readonly root: NamespacesOf;
  readonly processes: readonly NamespacesOf[];
  readonly caller: Pick<CallerFacts, 'namespaces'>;
}
type NamespacesOf = Pick<ProcessFacts, 'pid' | 'stat' | 'namespaces'>;

/** Namespaces that all processes of a tree must share. */
const shared = ['pid', 'ipc', 'uts', 'user', 'time', 'cgroup'];
/** Namespaces that may differ, if the root of the tree is not in those of criu. */
const divisible = ['mnt', 'net'];

/** Namespaces with which CRIU refuses to dump a tree. Source: CRIU's criu/namespaces.c, generate_ns_id. */
export const nestedNamespaces: Check = ({ snapshot }) => [
  ...namespacesWith('refused', snapshot),
  ...snapshot.processes
    .filter(({ namespaces: own }) => own.get('time_for_children') !== own.get('time'))
    .map((process) => outsideNamespace(process, 'time_for_children')),
];

/** Finds namespaces with which CRIU dumps a tree and ends it, but cannot restore it. */
export function unrestorableNamespaces(
  tree: TreeNamespaces,
  { manageCgroups, manageCgroupsMode }: PreflightOptions,
): PreflightFinding[] {
  const ignored = manageCgroupsMode === 'ignore' || manageCgroups === false ? ['cgroup'] : [];
  return [...namespacesWith('unrestorable', tree, ignored), ...userNamespace(tree)];
}

type Outcome = 'works' | 'refused' | 'unrestorable';

function namespacesWith(
  outcome: Outcome,
  { root, processes, caller }: TreeNamespaces,
  ignored: readonly string[] = [],
): PreflightFinding[] {
  const kinds = [...shared, ...divisible].filter((kind) => !ignored.includes(kind));
  return processes.flatMap((process) =>
    kinds
      .filter((kind) => {
        const ids = [process, root, caller].map(({ namespaces }) => namespaces.get(kind));
        return outcomeOf(kind, ...(ids as Ids)) === outcome;
      })
      .map((kind) => outsideNamespace(process, kind)),
  );
}

type Ids = [own: string | undefined, ofRoot: string | undefined, ofCriu: string | undefined];

/** What becomes of a process in a namespace. An unknown namespace is no obstacle. */
function outcomeOf(kind: string, ...[own, ofRoot, ofCriu]: Ids): Outcome {
  if (own === undefined || ofRoot === undefined || own === ofRoot) return 'works';
  if (!divisible.includes(kind)) return own === ofCriu ? 'unrestorable' : 'refused';
  if (own === ofCriu) return 'refused';
  return ofRoot === ofCriu ? 'unrestorable' : 'works';
}

function outsideNamespace(process: NamespacesOf, kind: string): PreflightFinding {
  const own = process.namespaces.get(kind);
  return found('NESTED_NAMESPACE', process, {
    message: `${nameOf(process)} is in the ${kind} namespace ${own}, but the root of the tree is not`,
    remedy: divisible.includes(kind)
      ? `Start the root of the tree in a ${words[kind]} namespace of its own, and no process of the tree in that of criu.`
      : 'Run all processes of the tree in the same namespaces; only mount and network namespaces may differ.',
  });
}

const words: Readonly<Record<string, string>> = { mnt: 'mount', net: 'network' };

/** A restore mounts /proc in the user namespace, for which Linux requires the other two. */
function userNamespace({ root, caller }: TreeNamespaces): PreflightFinding[] {
  const isOwn = (kind: string) => {
    const own = root.namespaces.get(kind);
    return own !== undefined && own !== caller.namespaces.get(kind);
  };
  if (!isOwn('user') || (isOwn('pid') && isOwn('mnt'))) return [];
  return [
    found('USER_NAMESPACE', root, {
      message: `${nameOf(root)} is in a user namespace of its own, ${root.namespaces.get('user')}, but not in pid and mount namespaces of its own`,
      remedy:
        'Start it in those as well, with a /proc of its own (unshare --user --pid --mount-proc --fork), or without a user namespace.',
    }),
  ];
}
