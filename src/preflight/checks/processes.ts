import { type Check, found, isExternal, nameOf } from './check.ts';

/** CRIU refuses to freeze itself, and this process is its parent. */
export const callerInTree: Check = ({ snapshot: { processes, caller } }) =>
  processes
    .filter(({ pid }) => pid === caller.pid)
    .map((process) =>
      found('CALLER_IN_TREE', process, {
        message: `${nameOf(process)} is this process, and criu would be its child in the tree`,
        remedy: 'Dump from a process that is not in the tree.',
      }),
    );

export const sessionLeader: Check = ({ snapshot: { root }, options }) =>
  root.stat.session === root.pid || options.shellJob || sessionIsOutside(root.status.sessions)
    ? []
    : [
        found('NOT_SESSION_LEADER', root, {
          message: `${nameOf(root)} is not the leader of its session, which is ${root.stat.session}`,
          remedy:
            'Set shellJob for the dump and the restore, or start it by spawnCheckpointable or setsid.',
        }),
      ];

export const sessionInPidNamespace: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ status }) => sessionIsOutside(status.sessions))
    .map((process) =>
      found('SESSION_OUTSIDE_PID_NAMESPACE', process, {
        message: `the session leader of ${nameOf(process)} is outside its pid namespace`,
        remedy: 'Let it call setsid in the namespace before it starts anything.',
      }),
    );

const sessionIsOutside = (sessions: readonly number[]) => sessions.at(-1) === 0;

export const namespaceInit: Check = ({ snapshot: { root, caller }, options }) => {
  const own = root.namespaces.get('pid');
  if (!own || own === caller.namespaces.get('pid') || root.status.pids.at(-1) === 1) return [];
  if (isExternal(options, own.replace(':', ''))) return [];
  return [
    found('NOT_NAMESPACE_INIT', root, {
      message: `${nameOf(root)} is not the first process of its pid namespace ${own}`,
      remedy: 'Dump the first process of the namespace, whose tree is all that lives in it.',
    }),
  ];
};

/** Namespaces that all of a tree must share; of mount and network namespaces it may have several. */
const shared = ['pid', 'ipc', 'uts', 'user', 'time', 'time_for_children', 'cgroup'];

export const nestedNamespaces: Check = ({ snapshot: { root, processes, caller } }) =>
  processes.flatMap((process) =>
    shared.flatMap((kind) => {
      const own = process.namespaces.get(kind);
      const known = [root, caller].map(({ namespaces }) => namespaces.get(kind));
      if (kind === 'time_for_children') known.splice(0, 2, process.namespaces.get('time'));
      if (own === undefined || known.includes(own)) return [];
      return found('NESTED_NAMESPACE', process, {
        message: `${nameOf(process)} is in the ${kind} namespace ${own}, and the root of the tree is not`,
        remedy: 'Dump only trees whose processes share all but mount and network namespaces.',
      });
    }),
  );

export const traced: Check = ({ snapshot: { processes } }) =>
  processes.flatMap((process) => {
    const tracer = [process.status, ...process.threads].find((one) => one.tracer !== 0)?.tracer;
    if (tracer === undefined) return [];
    return found('TRACED', process, {
      message: `${nameOf(process)} is traced by process ${tracer}, and only one can trace it`,
      remedy: `Detach process ${tracer}, a debugger or tracer.`,
    });
  });

export const deadLeader: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ stat, threads }) => stat.state === 'Z' && threads.length > 0)
    .map((process) =>
      found('DEAD_LEADER', process, {
        message: `the first thread of ${nameOf(process)} has ended while others run`,
        remedy: 'Keep the first thread until the others have ended.',
      }),
    );

export const readable: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ refused }) => refused !== undefined)
    .map((process) =>
      found('NO_PERMISSION', process, {
        message: `${nameOf(process)} may not be looked at: ${process.refused}`,
        remedy: 'Run as root, or with the capabilities CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE.',
      }),
    );
