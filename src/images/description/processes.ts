import type { CredsEntry, RlimitEntry } from '../../generated/images/types.ts';
import type { CommandLine } from './command-line.ts';
import type {
  DescribedCredentials,
  DescribedLimit,
  DescribedMapping,
  DescribedProcess,
} from './described-process.ts';
import type { FileTable } from './file-table.ts';
import { pathOf } from './files.ts';
import { capabilityNames, limitName, signalName } from './names.ts';
import type { ProcessImages } from './process-images.ts';

/** Source: CRIU's criu/include/pid.h. */
const STATES: Readonly<Record<number, DescribedProcess['state']>> = {
  1: 'alive',
  2: 'dead',
  3: 'stopped',
  6: 'zombie',
};
const CLOSE_ON_EXEC = 1;
const INFINITY = (1n << 64n) - 1n;
/** The parts of a wait status. */
const SIGNAL = 0x7f;
const EXIT_CODE_SHIFT = 8;

/** Describes a process, without what is outside its own images. */
export function describeProcess(
  { entry, core, threads, fs, mm, descriptors }: ProcessImages,
  files: FileTable,
  { args, environment }: CommandLine,
  mappings: readonly DescribedMapping[],
  startedAt: string | undefined,
): DescribedProcess {
  const { pid, ppid, pgid, sid } = entry;
  const { tc, thread_core: thread } = core;
  const state = STATES[tc?.task_state ?? 0] ?? 'unknown';
  const status = tc?.exit_code ?? 0;
  const isZombie = state === 'zombie' || state === 'dead';
  const signal = status & SIGNAL;
  const isStopped = state === 'stopped' && tc?.stop_signo !== undefined && tc.stop_signo > 0;
  return {
    pid,
    ppid,
    pgid,
    sid,
    name: tc?.comm ?? '',
    state,
    stopSignal: isStopped ? signalName(tc.stop_signo as number) : undefined,
    exitCode: isZombie && signal === 0 ? (status >> EXIT_CODE_SHIFT) & 0xff : undefined,
    exitSignal: isZombie && signal !== 0 ? signalName(signal) : undefined,
    threads,
    credentials: thread?.creds && credentialsOf(thread.creds),
    args,
    environment,
    startedAt,
    program: pathOf(files, mm?.exe_file_id),
    workingDirectory: pathOf(files, fs?.cwd_id),
    rootDirectory: pathOf(files, fs?.root_id),
    umask: fs?.umask,
    seccomp: seccompOf(thread?.seccomp_mode ?? tc?.old_seccomp_mode),
    oomScoreAdjust: tc?.oom_score_adj,
    isSubreaper: tc?.child_subreaper ?? false,
    limits: (tc?.rlimits?.rlimits ?? []).map(limitOf),
    descriptors: descriptors.map(({ fd, id, flags }) => ({
      fd,
      file: id,
      closeOnExec: (flags & CLOSE_ON_EXEC) !== 0,
    })),
    mappings,
    bytesMapped: mappings.reduce((sum, { size }) => sum + size, 0),
  };
}

function credentialsOf(creds: CredsEntry): DescribedCredentials {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups = [] } = creds;
  return {
    ...{ uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups },
    capabilities: {
      effective: capabilityNames(creds.cap_eff),
      permitted: capabilityNames(creds.cap_prm),
      inheritable: capabilityNames(creds.cap_inh),
      bounding: capabilityNames(creds.cap_bnd),
      ambient: capabilityNames(creds.cap_amb),
    },
    noNewPrivileges: (creds.no_new_privs ?? 0) !== 0,
    lsmProfile: creds.lsm_profile,
  };
}

function limitOf({ cur, max }: RlimitEntry, number: number): DescribedLimit {
  const asNumber = (value: bigint) => (value === INFINITY ? undefined : Number(value));
  return { name: limitName(number), soft: asNumber(cur), hard: asNumber(max) };
}

function seccompOf(mode: string | number | undefined): string | undefined {
  return mode === undefined ? undefined : String(mode);
}
