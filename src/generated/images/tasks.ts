// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { thread_info_x86, type ThreadInfoX86 } from './registers.ts';
import { thread_info_arm, type ThreadInfoArm } from './registers.ts';
import { thread_info_aarch64, type ThreadInfoAarch64 } from './registers.ts';
import { thread_info_ppc64, type ThreadInfoPpc64 } from './registers.ts';
import { thread_info_s390, type ThreadInfoS390 } from './registers.ts';
import { thread_info_mips, type ThreadInfoMips } from './registers.ts';
import { thread_info_loongarch64, type ThreadInfoLoongarch64 } from './registers.ts';
import { thread_info_riscv64, type ThreadInfoRiscv64 } from './registers.ts';
import { task_kobj_ids_entry, type TaskKobjIdsEntry } from './inventory.ts';

/** How a thread's system calls are filtered. */
export type SeccompMode = 'disabled' | 'strict' | 'filter';
export const seccomp_mode: EnumType = {
  name: 'seccomp_mode',
  numbers: {
    disabled: 0,
    strict: 1,
    filter: 2,
  },
};

/** An interval timer: its period, and the time that is left. */
export interface ItimerEntry {
  isec: bigint;
  iusec: bigint;
  vsec: bigint;
  vusec: bigint;
}

export const itimer_entry: MessageType<ItimerEntry> = {
  name: 'itimer_entry',
  required: ['isec', 'iusec', 'vsec', 'vusec'],
  fields: {
    1: { name: 'isec', type: 'uint64' },
    2: { name: 'iusec', type: 'uint64' },
    3: { name: 'vsec', type: 'uint64' },
    4: { name: 'vusec', type: 'uint64' },
  },
};

/** A POSIX timer: its period, and the time that is left. */
export interface PosixTimerEntry {
  it_id: number;
  clock_id: number;
  si_signo: number;
  it_sigev_notify: number;
  sival_ptr: bigint;
  overrun: number;
  isec: bigint;
  insec: bigint;
  vsec: bigint;
  vnsec: bigint;
  notify_thread_id?: number | undefined;
}

export const posix_timer_entry: MessageType<PosixTimerEntry> = {
  name: 'posix_timer_entry',
  required: ['it_id', 'clock_id', 'si_signo', 'it_sigev_notify', 'sival_ptr', 'overrun', 'isec', 'insec', 'vsec', 'vnsec'],
  fields: {
    1: { name: 'it_id', type: 'uint32' },
    2: { name: 'clock_id', type: 'uint32' },
    3: { name: 'si_signo', type: 'uint32' },
    4: { name: 'it_sigev_notify', type: 'uint32' },
    5: { name: 'sival_ptr', type: 'uint64' },
    6: { name: 'overrun', type: 'uint32' },
    7: { name: 'isec', type: 'uint64' },
    8: { name: 'insec', type: 'uint64' },
    9: { name: 'vsec', type: 'uint64' },
    10: { name: 'vnsec', type: 'uint64' },
    11: { name: 'notify_thread_id', type: 'int32' },
  },
};

/** The timers of a process. */
export interface TaskTimersEntry {
  real: ItimerEntry;
  virt: ItimerEntry;
  prof: ItimerEntry;
  posix?: PosixTimerEntry[] | undefined;
}

export const task_timers_entry: MessageType<TaskTimersEntry> = {
  name: 'task_timers_entry',
  required: ['real', 'virt', 'prof'],
  fields: {
    1: { name: 'real', type: itimer_entry },
    2: { name: 'virt', type: itimer_entry },
    3: { name: 'prof', type: itimer_entry },
    4: { name: 'posix', type: posix_timer_entry, repeated: true },
  },
};

/** A resource limit. */
export interface RlimitEntry {
  cur: bigint;
  max: bigint;
}

export const rlimit_entry: MessageType<RlimitEntry> = {
  name: 'rlimit_entry',
  required: ['cur', 'max'],
  fields: {
    1: { name: 'cur', type: 'uint64' },
    2: { name: 'max', type: 'uint64' },
  },
};

/** The resource limits of a process, in the order of their numbers. */
export interface TaskRlimitsEntry {
  rlimits?: RlimitEntry[] | undefined;
}

export const task_rlimits_entry: MessageType<TaskRlimitsEntry> = {
  name: 'task_rlimits_entry',
  required: [],
  fields: {
    1: { name: 'rlimits', type: rlimit_entry, repeated: true },
  },
};

/** The action of a signal. */
export interface SaEntry {
  sigaction: bigint;
  flags: bigint;
  restorer: bigint;
  mask: bigint;
  compat_sigaction?: boolean | undefined;
  mask_extended?: bigint | undefined;
}

export const sa_entry: MessageType<SaEntry> = {
  name: 'sa_entry',
  required: ['sigaction', 'flags', 'restorer', 'mask'],
  fields: {
    1: { name: 'sigaction', type: 'uint64', format: { hex: true } },
    2: { name: 'flags', type: 'uint64', format: { hex: true } },
    3: { name: 'restorer', type: 'uint64', format: { hex: true } },
    4: { name: 'mask', type: 'uint64', format: { hex: true } },
    5: { name: 'compat_sigaction', type: 'bool' },
    6: { name: 'mask_extended', type: 'uint64', format: { hex: true } },
  },
};

/** A pending signal, as the kernel describes it. */
export interface SiginfoEntry {
  siginfo: Uint8Array;
}

export const siginfo_entry: MessageType<SiginfoEntry> = {
  name: 'siginfo_entry',
  required: ['siginfo'],
  fields: {
    1: { name: 'siginfo', type: 'bytes' },
  },
};

/** Pending signals. */
export interface SignalQueueEntry {
  signals?: SiginfoEntry[] | undefined;
}

export const signal_queue_entry: MessageType<SignalQueueEntry> = {
  name: 'signal_queue_entry',
  required: [],
  fields: {
    1: { name: 'signals', type: siginfo_entry, repeated: true },
  },
};

/** Restartable sequences of a thread. */
export interface RseqEntry {
  rseq_abi_pointer: bigint;
  rseq_abi_size: number;
  signature: number;
  rseq_cs_pointer?: bigint | undefined;
}

export const rseq_entry: MessageType<RseqEntry> = {
  name: 'rseq_entry',
  required: ['rseq_abi_pointer', 'rseq_abi_size', 'signature'],
  fields: {
    1: { name: 'rseq_abi_pointer', type: 'uint64' },
    2: { name: 'rseq_abi_size', type: 'uint32' },
    3: { name: 'signature', type: 'uint32' },
    4: { name: 'rseq_cs_pointer', type: 'uint64' },
  },
};

/** Users, groups and capabilities of a thread. */
export interface CredsEntry {
  uid: number;
  gid: number;
  euid: number;
  egid: number;
  suid: number;
  sgid: number;
  fsuid: number;
  fsgid: number;
  cap_inh?: number[] | undefined;
  cap_prm?: number[] | undefined;
  cap_eff?: number[] | undefined;
  cap_bnd?: number[] | undefined;
  secbits: number;
  groups?: number[] | undefined;
  lsm_profile?: string | undefined;
  lsm_sockcreate?: string | undefined;
  apparmor_data?: Uint8Array | undefined;
  no_new_privs?: number | undefined;
  cap_amb?: number[] | undefined;
}

export const creds_entry: MessageType<CredsEntry> = {
  name: 'creds_entry',
  required: ['uid', 'gid', 'euid', 'egid', 'suid', 'sgid', 'fsuid', 'fsgid', 'secbits'],
  fields: {
    1: { name: 'uid', type: 'uint32' },
    2: { name: 'gid', type: 'uint32' },
    3: { name: 'euid', type: 'uint32' },
    4: { name: 'egid', type: 'uint32' },
    5: { name: 'suid', type: 'uint32' },
    6: { name: 'sgid', type: 'uint32' },
    7: { name: 'fsuid', type: 'uint32' },
    8: { name: 'fsgid', type: 'uint32' },
    9: { name: 'cap_inh', type: 'uint32', repeated: true },
    10: { name: 'cap_prm', type: 'uint32', repeated: true },
    11: { name: 'cap_eff', type: 'uint32', repeated: true },
    12: { name: 'cap_bnd', type: 'uint32', repeated: true },
    13: { name: 'secbits', type: 'uint32' },
    14: { name: 'groups', type: 'uint32', repeated: true },
    15: { name: 'lsm_profile', type: 'string' },
    16: { name: 'lsm_sockcreate', type: 'string' },
    17: { name: 'apparmor_data', type: 'bytes' },
    18: { name: 'no_new_privs', type: 'uint32' },
    19: { name: 'cap_amb', type: 'uint32', repeated: true },
  },
};

/** What the threads of a process have in common. */
export interface TaskCoreEntry {
  task_state: number;
  exit_code: number;
  personality: number;
  flags: number;
  blk_sigset: bigint;
  comm: string;
  timers?: TaskTimersEntry | undefined;
  rlimits?: TaskRlimitsEntry | undefined;
  cg_set?: number | undefined;
  signals_s?: SignalQueueEntry | undefined;
  old_seccomp_mode?: SeccompMode | number | undefined;
  old_seccomp_filter?: number | undefined;
  loginuid?: number | undefined;
  oom_score_adj?: number | undefined;
  sigactions?: SaEntry[] | undefined;
  child_subreaper?: boolean | undefined;
  blk_sigset_extended?: bigint | undefined;
  stop_signo?: number | undefined;
  membarrier_registration_mask?: number | undefined;
}

export const task_core_entry: MessageType<TaskCoreEntry> = {
  name: 'task_core_entry',
  required: ['task_state', 'exit_code', 'personality', 'flags', 'blk_sigset', 'comm'],
  fields: {
    1: { name: 'task_state', type: 'uint32', format: { dict: 'gen' } },
    2: { name: 'exit_code', type: 'uint32' },
    3: { name: 'personality', type: 'uint32' },
    4: { name: 'flags', type: 'uint32' },
    5: { name: 'blk_sigset', type: 'uint64', format: { hex: true } },
    6: { name: 'comm', type: 'string' },
    7: { name: 'timers', type: task_timers_entry },
    8: { name: 'rlimits', type: task_rlimits_entry },
    9: { name: 'cg_set', type: 'uint32' },
    10: { name: 'signals_s', type: signal_queue_entry },
    11: { name: 'old_seccomp_mode', type: seccomp_mode },
    12: { name: 'old_seccomp_filter', type: 'uint32' },
    13: { name: 'loginuid', type: 'uint32' },
    14: { name: 'oom_score_adj', type: 'int32' },
    15: { name: 'sigactions', type: sa_entry, repeated: true },
    18: { name: 'child_subreaper', type: 'bool' },
    20: { name: 'blk_sigset_extended', type: 'uint64', format: { hex: true } },
    21: { name: 'stop_signo', type: 'uint32' },
    22: { name: 'membarrier_registration_mask', type: 'uint32', format: { hex: true } },
  },
};

/** The alternative stack for signals. */
export interface ThreadSasEntry {
  ss_sp: bigint;
  ss_size: bigint;
  ss_flags: number;
}

export const thread_sas_entry: MessageType<ThreadSasEntry> = {
  name: 'thread_sas_entry',
  required: ['ss_sp', 'ss_size', 'ss_flags'],
  fields: {
    1: { name: 'ss_sp', type: 'uint64' },
    2: { name: 'ss_size', type: 'uint64' },
    3: { name: 'ss_flags', type: 'uint32' },
  },
};

/** What a thread has of its own. */
export interface ThreadCoreEntry {
  futex_rla: bigint;
  futex_rla_len: number;
  sched_nice?: number | undefined;
  sched_policy?: number | undefined;
  sched_prio?: number | undefined;
  blk_sigset?: bigint | undefined;
  sas?: ThreadSasEntry | undefined;
  pdeath_sig?: number | undefined;
  signals_p?: SignalQueueEntry | undefined;
  creds?: CredsEntry | undefined;
  seccomp_mode?: SeccompMode | number | undefined;
  seccomp_filter?: number | undefined;
  comm?: string | undefined;
  blk_sigset_extended?: bigint | undefined;
  rseq_entry?: RseqEntry | undefined;
  cg_set?: number | undefined;
  timerslack_ns?: bigint | undefined;
}

export const thread_core_entry: MessageType<ThreadCoreEntry> = {
  name: 'thread_core_entry',
  required: ['futex_rla', 'futex_rla_len'],
  fields: {
    1: { name: 'futex_rla', type: 'uint64' },
    2: { name: 'futex_rla_len', type: 'uint32' },
    3: { name: 'sched_nice', type: 'sint32' },
    4: { name: 'sched_policy', type: 'uint32' },
    5: { name: 'sched_prio', type: 'uint32' },
    6: { name: 'blk_sigset', type: 'uint64' },
    7: { name: 'sas', type: thread_sas_entry },
    8: { name: 'pdeath_sig', type: 'uint32' },
    9: { name: 'signals_p', type: signal_queue_entry },
    10: { name: 'creds', type: creds_entry },
    11: { name: 'seccomp_mode', type: seccomp_mode },
    12: { name: 'seccomp_filter', type: 'uint32' },
    13: { name: 'comm', type: 'string' },
    14: { name: 'blk_sigset_extended', type: 'uint64' },
    15: { name: 'rseq_entry', type: rseq_entry },
    16: { name: 'cg_set', type: 'uint32' },
    17: { name: 'timerslack_ns', type: 'uint64' },
  },
};

export type March = 'UNKNOWN' | 'X86_64' | 'ARM' | 'AARCH64' | 'PPC64' | 'S390' | 'MIPS' | 'LOONGARCH64' | 'RISCV64';
export const march: EnumType = {
  name: 'march',
  numbers: {
    UNKNOWN: 0,
    X86_64: 1,
    ARM: 2,
    AARCH64: 3,
    PPC64: 4,
    S390: 5,
    MIPS: 6,
    LOONGARCH64: 7,
    RISCV64: 8,
  },
};

/** A thread; tc is there for the first thread of a process only. */
export interface CoreEntry {
  mtype: March | number;
  thread_info?: ThreadInfoX86 | undefined;
  tc?: TaskCoreEntry | undefined;
  ids?: TaskKobjIdsEntry | undefined;
  thread_core?: ThreadCoreEntry | undefined;
  ti_arm?: ThreadInfoArm | undefined;
  ti_aarch64?: ThreadInfoAarch64 | undefined;
  ti_ppc64?: ThreadInfoPpc64 | undefined;
  ti_s390?: ThreadInfoS390 | undefined;
  ti_mips?: ThreadInfoMips | undefined;
  ti_loongarch64?: ThreadInfoLoongarch64 | undefined;
  ti_riscv64?: ThreadInfoRiscv64 | undefined;
}

export const core_entry: MessageType<CoreEntry> = {
  name: 'core_entry',
  required: ['mtype'],
  fields: {
    1: { name: 'mtype', type: march },
    2: { name: 'thread_info', type: thread_info_x86 },
    3: { name: 'tc', type: task_core_entry },
    4: { name: 'ids', type: task_kobj_ids_entry },
    5: { name: 'thread_core', type: thread_core_entry },
    6: { name: 'ti_arm', type: thread_info_arm },
    8: { name: 'ti_aarch64', type: thread_info_aarch64 },
    9: { name: 'ti_ppc64', type: thread_info_ppc64 },
    10: { name: 'ti_s390', type: thread_info_s390 },
    11: { name: 'ti_mips', type: thread_info_mips },
    12: { name: 'ti_loongarch64', type: thread_info_loongarch64 },
    13: { name: 'ti_riscv64', type: thread_info_riscv64 },
  },
};
