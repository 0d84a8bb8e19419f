import { eachOf, linkOf, linkOfSync, namesIn, namesInSync, type Pid } from './read.ts';

/** The namespaces of a process, such as `net` → `net:[4026531833]`. */
export type Namespaces = ReadonlyMap<string, string>;

/** A kind of namespace: the name of a link in /proc/PID/ns. */
export type NamespaceKind = 'ipc' | 'mnt' | 'net' | 'pid' | 'user' | 'uts';

/** The path of a namespace in /proc, which setns(2) and nsenter(1) accept. */
export function namespacePath(pid: Pid, kind: string): string {
  return `/proc/${pid}/ns/${kind}`;
}

/** Reads all namespaces of a process; none if it is gone. */
export async function readNamespaces(pid: Pid): Promise<Namespaces> {
  const links = await eachOf(await namesIn(`/proc/${pid}/ns`), async (kind) => {
    const link = await linkOf(namespacePath(pid, kind));
    return link === undefined ? undefined : ([kind, link] as const);
  });
  return new Map(links);
}

/** The same, synchronously. */
export function readNamespacesSync(pid: Pid): Namespaces {
  const namespaces = new Map<string, string>();
  for (const kind of namesInSync(`/proc/${pid}/ns`)) {
    const link = linkOfSync(namespacePath(pid, kind));
    if (link !== undefined) namespaces.set(kind, link);
  }
  return namespaces;
}

/** Reads one namespace of a process; undefined if the process is gone. */
export function readNamespace(pid: Pid, kind: NamespaceKind): Promise<string | undefined> {
  return linkOf(namespacePath(pid, kind));
}

/** The same, synchronously. */
export function readNamespaceSync(pid: Pid, kind: NamespaceKind): string | undefined {
  return linkOfSync(namespacePath(pid, kind));
}
