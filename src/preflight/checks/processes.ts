import { CAP_SYS_ADMIN, hasCapability } from '../../procfs/capability.ts';
import { type Check, found, nameOf } from './check.ts';

/** CRIU refuses to dump a tree that contains itself, and criu is a child of this process. */
export const callerInTree: Check = ({ snapshot: { processes, caller }, host }) =>
  processes
    // The criu of a service is not in the tree.
    .filter(({ pid }) => pid === caller.pid && !host.isService)
    .map((process) =>
      found('CALLER_IN_TREE', process, {
        message: `${nameOf(process)} is the calling process: criu, its child, would be within the tree`,
        remedy: 'Dump from a process outside the tree.',
      }),
    );

/**
 * CRIU has the root process mount the /proc of its pid namespace if the one that it sees is that of another. Where a
 * process has mounts of its own, they can have it. Source: CRIU's criu/pie/parasite.c, get_proc_fd.
 */
export const procOfPidNamespace: Check = ({ snapshot: { root, caller } }) => {
  const shares = (kind: 'pid' | 'mnt' | 'user') =>
    root.namespaces.get(kind) === caller.namespaces.get(kind);
  if (shares('pid') || !shares('mnt') || !shares('user')) return [];
  if (hasCapability(root.status.capabilities.effective, CAP_SYS_ADMIN)) return [];
  return [
    found('MISSING_CAPABILITY', root, {
      message: `${nameOf(root)} sees the /proc of another pid namespace, and lacks CAP_SYS_ADMIN to mount that of its own, which CRIU makes it do`,
      remedy:
        'Start the program without a pid namespace of its own, or as root, or with mounts of its own that have the right /proc (unshare --mount-proc).',
    }),
  ];
};

export const sessionLeader: Check = ({ snapshot: { root }, options }) =>
  root.stat.session === root.pid || options.shellJob || sessionIsOutside(root.status.sessions)
    ? []
    : [
        found('NOT_SESSION_LEADER', root, {
          message: `${nameOf(root)} is not the leader of its session ${root.stat.session}`,
          remedy:
            'Set shellJob for the dump and the restore, or start the program with spawnCheckpointable or setsid.',
        }),
      ];

export const sessionInPidNamespace: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ status }) => sessionIsOutside(status.sessions))
    .map((process) =>
      found('SESSION_OUTSIDE_PID_NAMESPACE', process, {
        message: `the session leader of ${nameOf(process)} is outside its pid namespace`,
        remedy: 'Let the first process of the namespace call setsid before it starts others.',
      }),
    );

const sessionIsOutside = (sessions: readonly number[]) => sessions.at(-1) === 0;

export const traced: Check = ({ snapshot: { processes } }) =>
  processes.flatMap((process) => {
    const tracer = [process.status, ...process.threads].find((one) => one.tracer !== 0)?.tracer;
    if (tracer === undefined) return [];
    return found('TRACED', process, {
      message: `${nameOf(process)} is traced by process ${tracer}, and a process can have only one tracer`,
      remedy: `Detach process ${tracer}, for example a debugger or strace.`,
    });
  });

export const deadLeader: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ stat, threads }) => stat.state === 'Z' && threads.length > 0)
    .map((process) =>
      found('DEAD_LEADER', process, {
        message: `the first thread of ${nameOf(process)} has ended while others run`,
        remedy: 'Let the first thread end last.',
      }),
    );

/** CRIU waits for such a process, and fails at its `timeout` unless the process wakes up before. */
export const uninterruptible: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ stat }) => stat.state === 'D')
    .map((process) =>
      found('UNINTERRUPTIBLE', process, {
        severity: 'warning',
        message: `${nameOf(process)} waits in the kernel and cannot be stopped: for a disk or a file system, or for a child of vfork(2)`,
        remedy: 'Dump the tree when the process does not wait any longer.',
      }),
    );

const SIGTRAP = 1n << 4n;

/** The parasite ends with a SIGTRAP, which must not be blocked. Source: CRIU's compel/src/lib/infect.c. */
export const pendingTraps: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ status, threads }) =>
      [status, ...threads].some(({ pendingSignals }) => (pendingSignals & SIGTRAP) !== 0n),
    )
    .map((process) =>
      found('SIGTRAP_PENDING', process, {
        message: `a SIGTRAP waits for ${nameOf(process)}, which blocks it`,
        remedy: 'Let the process unblock the signal, or take it with sigwait(3) or a signalfd.',
      }),
    );

export const readable: Check = ({ snapshot: { processes } }) =>
  processes
    .filter(({ refused }) => refused !== undefined)
    .map((process) =>
      found('NO_PERMISSION', process, {
        message: `${nameOf(process)} cannot be read: ${process.refused}`,
        remedy: 'Run as root, or with the capabilities CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE.',
      }),
    );
