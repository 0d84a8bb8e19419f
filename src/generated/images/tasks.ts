// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { thread_info_x86 } from './registers.ts';
import { thread_info_arm } from './registers.ts';
import { thread_info_aarch64 } from './registers.ts';
import { thread_info_ppc64 } from './registers.ts';
import { thread_info_s390 } from './registers.ts';
import { thread_info_mips } from './registers.ts';
import { thread_info_loongarch64 } from './registers.ts';
import { thread_info_riscv64 } from './registers.ts';
import { task_kobj_ids_entry } from './inventory.ts';
import type * as types from './types.ts';

export const seccomp_mode: EnumType = {
  name: 'seccomp_mode',
  numbers: {
    disabled: 0,
    strict: 1,
    filter: 2,
  },
};

export const itimer_entry: MessageType<types.ItimerEntry> = {
  name: 'itimer_entry',
  required: ['isec', 'iusec', 'vsec', 'vusec'],
  fields: {
    1: { name: 'isec', type: 'uint64' },
    2: { name: 'iusec', type: 'uint64' },
    3: { name: 'vsec', type: 'uint64' },
    4: { name: 'vusec', type: 'uint64' },
  },
};

export const posix_timer_entry: MessageType<types.PosixTimerEntry> = {
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

export const task_timers_entry: MessageType<types.TaskTimersEntry> = {
  name: 'task_timers_entry',
  required: ['real', 'virt', 'prof'],
  fields: {
    1: { name: 'real', type: itimer_entry },
    2: { name: 'virt', type: itimer_entry },
    3: { name: 'prof', type: itimer_entry },
    4: { name: 'posix', type: posix_timer_entry, repeated: true },
  },
};

export const rlimit_entry: MessageType<types.RlimitEntry> = {
  name: 'rlimit_entry',
  required: ['cur', 'max'],
  fields: {
    1: { name: 'cur', type: 'uint64' },
    2: { name: 'max', type: 'uint64' },
  },
};

export const task_rlimits_entry: MessageType<types.TaskRlimitsEntry> = {
  name: 'task_rlimits_entry',
  required: [],
  fields: {
    1: { name: 'rlimits', type: rlimit_entry, repeated: true },
  },
};

export const sa_entry: MessageType<types.SaEntry> = {
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

export const siginfo_entry: MessageType<types.SiginfoEntry> = {
  name: 'siginfo_entry',
  required: ['siginfo'],
  fields: {
    1: { name: 'siginfo', type: 'bytes' },
  },
};

export const signal_queue_entry: MessageType<types.SignalQueueEntry> = {
  name: 'signal_queue_entry',
  required: [],
  fields: {
    1: { name: 'signals', type: siginfo_entry, repeated: true },
  },
};

export const rseq_entry: MessageType<types.RseqEntry> = {
  name: 'rseq_entry',
  required: ['rseq_abi_pointer', 'rseq_abi_size', 'signature'],
  fields: {
    1: { name: 'rseq_abi_pointer', type: 'uint64' },
    2: { name: 'rseq_abi_size', type: 'uint32' },
    3: { name: 'signature', type: 'uint32' },
    4: { name: 'rseq_cs_pointer', type: 'uint64' },
  },
};

export const creds_entry: MessageType<types.CredsEntry> = {
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

export const task_core_entry: MessageType<types.TaskCoreEntry> = {
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

export const thread_sas_entry: MessageType<types.ThreadSasEntry> = {
  name: 'thread_sas_entry',
  required: ['ss_sp', 'ss_size', 'ss_flags'],
  fields: {
    1: { name: 'ss_sp', type: 'uint64' },
    2: { name: 'ss_size', type: 'uint64' },
    3: { name: 'ss_flags', type: 'uint32' },
  },
};

export const thread_core_entry: MessageType<types.ThreadCoreEntry> = {
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

export const core_entry: MessageType<types.CoreEntry> = {
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
