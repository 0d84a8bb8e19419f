// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const user_x86_regs_mode: EnumType = {
  name: 'user_x86_regs_mode',
  numbers: {
    NATIVE: 1,
    COMPAT: 2,
  },
};

export const user_x86_regs_entry: MessageType<types.UserX86RegsEntry> = {
  name: 'user_x86_regs_entry',
  required: ['r15', 'r14', 'r13', 'r12', 'bp', 'bx', 'r11', 'r10', 'r9', 'r8', 'ax', 'cx', 'dx', 'si', 'di', 'orig_ax', 'ip', 'cs', 'flags', 'sp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs'],
  fields: {
    1: { name: 'r15', type: 'uint64' },
    2: { name: 'r14', type: 'uint64' },
    3: { name: 'r13', type: 'uint64' },
    4: { name: 'r12', type: 'uint64' },
    5: { name: 'bp', type: 'uint64' },
    6: { name: 'bx', type: 'uint64' },
    7: { name: 'r11', type: 'uint64' },
    8: { name: 'r10', type: 'uint64' },
    9: { name: 'r9', type: 'uint64' },
    10: { name: 'r8', type: 'uint64' },
    11: { name: 'ax', type: 'uint64' },
    12: { name: 'cx', type: 'uint64' },
    13: { name: 'dx', type: 'uint64' },
    14: { name: 'si', type: 'uint64' },
    15: { name: 'di', type: 'uint64' },
    16: { name: 'orig_ax', type: 'uint64' },
    17: { name: 'ip', type: 'uint64' },
    18: { name: 'cs', type: 'uint64' },
    19: { name: 'flags', type: 'uint64' },
    20: { name: 'sp', type: 'uint64' },
    21: { name: 'ss', type: 'uint64' },
    22: { name: 'fs_base', type: 'uint64' },
    23: { name: 'gs_base', type: 'uint64' },
    24: { name: 'ds', type: 'uint64' },
    25: { name: 'es', type: 'uint64' },
    26: { name: 'fs', type: 'uint64' },
    27: { name: 'gs', type: 'uint64' },
    28: { name: 'mode', type: user_x86_regs_mode },
  },
};

export const user_x86_cet_entry: MessageType<types.UserX86CetEntry> = {
  name: 'user_x86_cet_entry',
  required: ['cet', 'ssp'],
  fields: {
    1: { name: 'cet', type: 'uint64', format: { hex: true } },
    2: { name: 'ssp', type: 'uint64', format: { hex: true } },
  },
};

export const user_x86_xsave_entry: MessageType<types.UserX86XsaveEntry> = {
  name: 'user_x86_xsave_entry',
  required: ['xstate_bv'],
  fields: {
    1: { name: 'xstate_bv', type: 'uint64' },
    2: { name: 'ymmh_space', type: 'uint32', repeated: true },
    3: { name: 'bndreg_state', type: 'uint64', repeated: true },
    4: { name: 'bndcsr_state', type: 'uint64', repeated: true },
    5: { name: 'opmask_reg', type: 'uint64', repeated: true },
    6: { name: 'zmm_upper', type: 'uint64', repeated: true },
    7: { name: 'hi16_zmm', type: 'uint64', repeated: true },
    8: { name: 'pkru', type: 'uint32', repeated: true },
    9: { name: 'cet', type: user_x86_cet_entry },
  },
};

export const user_x86_fpregs_entry: MessageType<types.UserX86FpregsEntry> = {
  name: 'user_x86_fpregs_entry',
  required: ['cwd', 'swd', 'twd', 'fop', 'rip', 'rdp', 'mxcsr', 'mxcsr_mask'],
  fields: {
    1: { name: 'cwd', type: 'uint32' },
    2: { name: 'swd', type: 'uint32' },
    3: { name: 'twd', type: 'uint32' },
    4: { name: 'fop', type: 'uint32' },
    5: { name: 'rip', type: 'uint64' },
    6: { name: 'rdp', type: 'uint64' },
    7: { name: 'mxcsr', type: 'uint32' },
    8: { name: 'mxcsr_mask', type: 'uint32' },
    9: { name: 'st_space', type: 'uint32', repeated: true },
    10: { name: 'xmm_space', type: 'uint32', repeated: true },
    11: { name: 'padding', type: 'uint32', repeated: true },
    13: { name: 'xsave', type: user_x86_xsave_entry },
  },
};

export const user_desc_t: MessageType<types.UserDescT> = {
  name: 'user_desc_t',
  required: ['entry_number', 'base_addr', 'limit', 'seg_32bit', 'contents_h', 'contents_l', 'read_exec_only', 'limit_in_pages', 'seg_not_present', 'usable'],
  fields: {
    1: { name: 'entry_number', type: 'uint32' },
    2: { name: 'base_addr', type: 'uint32' },
    3: { name: 'limit', type: 'uint32' },
    4: { name: 'seg_32bit', type: 'bool' },
    5: { name: 'contents_h', type: 'bool' },
    6: { name: 'contents_l', type: 'bool' },
    7: { name: 'read_exec_only', type: 'bool' },
    8: { name: 'limit_in_pages', type: 'bool' },
    9: { name: 'seg_not_present', type: 'bool' },
    10: { name: 'usable', type: 'bool' },
  },
};

export const thread_info_x86: MessageType<types.ThreadInfoX86> = {
  name: 'thread_info_x86',
  required: ['clear_tid_addr', 'gpregs', 'fpregs'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'gpregs', type: user_x86_regs_entry, format: { hex: true } },
    3: { name: 'fpregs', type: user_x86_fpregs_entry },
    4: { name: 'tls', type: user_desc_t, repeated: true },
  },
};

export const user_arm_regs_entry: MessageType<types.UserArmRegsEntry> = {
  name: 'user_arm_regs_entry',
  required: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'fp', 'ip', 'sp', 'lr', 'pc', 'cpsr', 'orig_r0'],
  fields: {
    1: { name: 'r0', type: 'uint32' },
    2: { name: 'r1', type: 'uint32' },
    3: { name: 'r2', type: 'uint32' },
    4: { name: 'r3', type: 'uint32' },
    5: { name: 'r4', type: 'uint32' },
    6: { name: 'r5', type: 'uint32' },
    7: { name: 'r6', type: 'uint32' },
    8: { name: 'r7', type: 'uint32' },
    9: { name: 'r8', type: 'uint32' },
    10: { name: 'r9', type: 'uint32' },
    11: { name: 'r10', type: 'uint32' },
    12: { name: 'fp', type: 'uint32' },
    13: { name: 'ip', type: 'uint32' },
    14: { name: 'sp', type: 'uint32' },
    15: { name: 'lr', type: 'uint32' },
    16: { name: 'pc', type: 'uint32' },
    17: { name: 'cpsr', type: 'uint32' },
    18: { name: 'orig_r0', type: 'uint32' },
  },
};

export const user_arm_vfpstate_entry: MessageType<types.UserArmVfpstateEntry> = {
  name: 'user_arm_vfpstate_entry',
  required: ['fpscr', 'fpexc', 'fpinst', 'fpinst2'],
  fields: {
    1: { name: 'vfp_regs', type: 'uint64', repeated: true },
    2: { name: 'fpscr', type: 'uint32' },
    3: { name: 'fpexc', type: 'uint32' },
    4: { name: 'fpinst', type: 'uint32' },
    5: { name: 'fpinst2', type: 'uint32' },
  },
};

export const thread_info_arm: MessageType<types.ThreadInfoArm> = {
  name: 'thread_info_arm',
  required: ['clear_tid_addr', 'tls', 'gpregs', 'fpstate'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'tls', type: 'uint32' },
    3: { name: 'gpregs', type: user_arm_regs_entry, format: { hex: true } },
    4: { name: 'fpstate', type: user_arm_vfpstate_entry },
  },
};

export const user_aarch64_regs_entry: MessageType<types.UserAarch64RegsEntry> = {
  name: 'user_aarch64_regs_entry',
  required: ['sp', 'pc', 'pstate'],
  fields: {
    1: { name: 'regs', type: 'uint64', repeated: true },
    2: { name: 'sp', type: 'uint64' },
    3: { name: 'pc', type: 'uint64' },
    4: { name: 'pstate', type: 'uint64' },
  },
};

export const user_aarch64_fpsimd_context_entry: MessageType<types.UserAarch64FpsimdContextEntry> = {
  name: 'user_aarch64_fpsimd_context_entry',
  required: ['fpsr', 'fpcr'],
  fields: {
    1: { name: 'vregs', type: 'uint64', repeated: true },
    2: { name: 'fpsr', type: 'uint32' },
    3: { name: 'fpcr', type: 'uint32' },
  },
};

export const user_aarch64_gcs_entry: MessageType<types.UserAarch64GcsEntry> = {
  name: 'user_aarch64_gcs_entry',
  required: ['gcspr_el0', 'features_enabled'],
  fields: {
    1: { name: 'gcspr_el0', type: 'uint64', format: { hex: true } },
    2: { name: 'features_enabled', type: 'uint64', format: { hex: true } },
  },
};

export const pac_address_keys: MessageType<types.PacAddressKeys> = {
  name: 'pac_address_keys',
  required: ['apiakey_lo', 'apiakey_hi', 'apibkey_lo', 'apibkey_hi', 'apdakey_lo', 'apdakey_hi', 'apdbkey_lo', 'apdbkey_hi', 'pac_enabled_key'],
  fields: {
    1: { name: 'apiakey_lo', type: 'uint64' },
    2: { name: 'apiakey_hi', type: 'uint64' },
    3: { name: 'apibkey_lo', type: 'uint64' },
    4: { name: 'apibkey_hi', type: 'uint64' },
    5: { name: 'apdakey_lo', type: 'uint64' },
    6: { name: 'apdakey_hi', type: 'uint64' },
    7: { name: 'apdbkey_lo', type: 'uint64' },
    8: { name: 'apdbkey_hi', type: 'uint64' },
    9: { name: 'pac_enabled_key', type: 'uint64' },
  },
};

export const pac_generic_keys: MessageType<types.PacGenericKeys> = {
  name: 'pac_generic_keys',
  required: ['apgakey_lo', 'apgakey_hi'],
  fields: {
    1: { name: 'apgakey_lo', type: 'uint64' },
    2: { name: 'apgakey_hi', type: 'uint64' },
  },
};

export const pac_keys: MessageType<types.PacKeys> = {
  name: 'pac_keys',
  required: [],
  fields: {
    6: { name: 'pac_address_keys', type: pac_address_keys },
    7: { name: 'pac_generic_keys', type: pac_generic_keys },
  },
};

export const thread_info_aarch64: MessageType<types.ThreadInfoAarch64> = {
  name: 'thread_info_aarch64',
  required: ['clear_tid_addr', 'tls', 'gpregs', 'fpsimd'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'tls', type: 'uint64' },
    3: { name: 'gpregs', type: user_aarch64_regs_entry, format: { hex: true } },
    4: { name: 'fpsimd', type: user_aarch64_fpsimd_context_entry },
    5: { name: 'pac_keys', type: pac_keys },
    6: { name: 'gcs', type: user_aarch64_gcs_entry },
  },
};

export const user_ppc64_regs_entry: MessageType<types.UserPpc64RegsEntry> = {
  name: 'user_ppc64_regs_entry',
  required: ['nip', 'msr', 'orig_gpr3', 'ctr', 'link', 'xer', 'ccr', 'trap'],
  fields: {
    1: { name: 'gpr', type: 'uint64', repeated: true },
    2: { name: 'nip', type: 'uint64' },
    3: { name: 'msr', type: 'uint64' },
    4: { name: 'orig_gpr3', type: 'uint64' },
    5: { name: 'ctr', type: 'uint64' },
    6: { name: 'link', type: 'uint64' },
    7: { name: 'xer', type: 'uint64' },
    8: { name: 'ccr', type: 'uint64' },
    9: { name: 'trap', type: 'uint64' },
    10: { name: 'texasr', type: 'uint64' },
    11: { name: 'tfhar', type: 'uint64' },
    12: { name: 'tfiar', type: 'uint64' },
  },
};

export const user_ppc64_fpstate_entry: MessageType<types.UserPpc64FpstateEntry> = {
  name: 'user_ppc64_fpstate_entry',
  required: [],
  fields: {
    1: { name: 'fpregs', type: 'uint64', repeated: true },
  },
};

export const user_ppc64_vrstate_entry: MessageType<types.UserPpc64VrstateEntry> = {
  name: 'user_ppc64_vrstate_entry',
  required: ['vrsave'],
  fields: {
    1: { name: 'vrregs', type: 'uint64', repeated: true },
    2: { name: 'vrsave', type: 'uint32' },
  },
};

export const user_ppc64_vsxstate_entry: MessageType<types.UserPpc64VsxstateEntry> = {
  name: 'user_ppc64_vsxstate_entry',
  required: [],
  fields: {
    1: { name: 'vsxregs', type: 'uint64', repeated: true },
  },
};

export const user_ppc64_tm_regs_entry: MessageType<types.UserPpc64TmRegsEntry> = {
  name: 'user_ppc64_tm_regs_entry',
  required: ['gpregs'],
  fields: {
    1: { name: 'gpregs', type: user_ppc64_regs_entry },
    2: { name: 'fpstate', type: user_ppc64_fpstate_entry },
    3: { name: 'vrstate', type: user_ppc64_vrstate_entry },
    4: { name: 'vsxstate', type: user_ppc64_vsxstate_entry },
  },
};

export const thread_info_ppc64: MessageType<types.ThreadInfoPpc64> = {
  name: 'thread_info_ppc64',
  required: ['clear_tid_addr', 'gpregs'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'gpregs', type: user_ppc64_regs_entry, format: { hex: true } },
    3: { name: 'fpstate', type: user_ppc64_fpstate_entry },
    4: { name: 'vrstate', type: user_ppc64_vrstate_entry },
    5: { name: 'vsxstate', type: user_ppc64_vsxstate_entry },
    6: { name: 'tmstate', type: user_ppc64_tm_regs_entry },
  },
};

export const user_s390_regs_entry: MessageType<types.UserS390RegsEntry> = {
  name: 'user_s390_regs_entry',
  required: ['psw_mask', 'psw_addr', 'orig_gpr2', 'system_call'],
  fields: {
    1: { name: 'psw_mask', type: 'uint64' },
    2: { name: 'psw_addr', type: 'uint64' },
    3: { name: 'gprs', type: 'uint64', repeated: true },
    4: { name: 'acrs', type: 'uint32', repeated: true },
    5: { name: 'orig_gpr2', type: 'uint64' },
    6: { name: 'system_call', type: 'uint32' },
  },
};

export const user_s390_vxrs_low_entry: MessageType<types.UserS390VxrsLowEntry> = {
  name: 'user_s390_vxrs_low_entry',
  required: [],
  fields: {
    1: { name: 'regs', type: 'uint64', repeated: true },
  },
};

export const user_s390_vxrs_high_entry: MessageType<types.UserS390VxrsHighEntry> = {
  name: 'user_s390_vxrs_high_entry',
  required: [],
  fields: {
    1: { name: 'regs', type: 'uint64', repeated: true },
  },
};

export const user_s390_fpregs_entry: MessageType<types.UserS390FpregsEntry> = {
  name: 'user_s390_fpregs_entry',
  required: ['fpc'],
  fields: {
    1: { name: 'fpc', type: 'uint32' },
    2: { name: 'fprs', type: 'uint64', repeated: true },
  },
};

export const user_s390_gs_cb_entry: MessageType<types.UserS390GsCbEntry> = {
  name: 'user_s390_gs_cb_entry',
  required: [],
  fields: {
    1: { name: 'regs', type: 'uint64', repeated: true },
  },
};

export const user_s390_ri_entry: MessageType<types.UserS390RiEntry> = {
  name: 'user_s390_ri_entry',
  required: ['ri_on'],
  fields: {
    1: { name: 'ri_on', type: 'uint32' },
    2: { name: 'regs', type: 'uint64', repeated: true },
  },
};

export const thread_info_s390: MessageType<types.ThreadInfoS390> = {
  name: 'thread_info_s390',
  required: ['clear_tid_addr', 'gpregs', 'fpregs'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'gpregs', type: user_s390_regs_entry, format: { hex: true } },
    3: { name: 'fpregs', type: user_s390_fpregs_entry, format: { hex: true } },
    4: { name: 'vxrs_low', type: user_s390_vxrs_low_entry, format: { hex: true } },
    5: { name: 'vxrs_high', type: user_s390_vxrs_high_entry, format: { hex: true } },
    6: { name: 'gs_cb', type: user_s390_gs_cb_entry, format: { hex: true } },
    7: { name: 'gs_bc', type: user_s390_gs_cb_entry, format: { hex: true } },
    8: { name: 'ri_cb', type: user_s390_ri_entry, format: { hex: true } },
  },
};

export const user_mips_regs_entry: MessageType<types.UserMipsRegsEntry> = {
  name: 'user_mips_regs_entry',
  required: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'r16', 'r17', 'r18', 'r19', 'r20', 'r21', 'r22', 'r23', 'r24', 'r25', 'r26', 'r27', 'r28', 'r29', 'r30', 'r31', 'lo', 'hi', 'cp0_epc', 'cp0_badvaddr', 'cp0_status', 'cp0_cause'],
  fields: {
    1: { name: 'r0', type: 'uint64' },
    2: { name: 'r1', type: 'uint64' },
    3: { name: 'r2', type: 'uint64' },
    4: { name: 'r3', type: 'uint64' },
    5: { name: 'r4', type: 'uint64' },
    6: { name: 'r5', type: 'uint64' },
    7: { name: 'r6', type: 'uint64' },
    8: { name: 'r7', type: 'uint64' },
    9: { name: 'r8', type: 'uint64' },
    10: { name: 'r9', type: 'uint64' },
    11: { name: 'r10', type: 'uint64' },
    12: { name: 'r11', type: 'uint64' },
    13: { name: 'r12', type: 'uint64' },
    14: { name: 'r13', type: 'uint64' },
    15: { name: 'r14', type: 'uint64' },
    16: { name: 'r15', type: 'uint64' },
    17: { name: 'r16', type: 'uint64' },
    18: { name: 'r17', type: 'uint64' },
    19: { name: 'r18', type: 'uint64' },
    20: { name: 'r19', type: 'uint64' },
    21: { name: 'r20', type: 'uint64' },
    22: { name: 'r21', type: 'uint64' },
    23: { name: 'r22', type: 'uint64' },
    24: { name: 'r23', type: 'uint64' },
    25: { name: 'r24', type: 'uint64' },
    26: { name: 'r25', type: 'uint64' },
    27: { name: 'r26', type: 'uint64' },
    28: { name: 'r27', type: 'uint64' },
    29: { name: 'r28', type: 'uint64' },
    30: { name: 'r29', type: 'uint64' },
    31: { name: 'r30', type: 'uint64' },
    32: { name: 'r31', type: 'uint64' },
    33: { name: 'lo', type: 'uint64' },
    34: { name: 'hi', type: 'uint64' },
    35: { name: 'cp0_epc', type: 'uint64' },
    36: { name: 'cp0_badvaddr', type: 'uint64' },
    37: { name: 'cp0_status', type: 'uint64' },
    38: { name: 'cp0_cause', type: 'uint64' },
  },
};

export const user_mips_fpregs_entry: MessageType<types.UserMipsFpregsEntry> = {
  name: 'user_mips_fpregs_entry',
  required: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'r16', 'r17', 'r18', 'r19', 'r20', 'r21', 'r22', 'r23', 'r24', 'r25', 'r26', 'r27', 'r28', 'r29', 'r30', 'r31', 'lo', 'hi', 'fpu_fcr31', 'fpu_id'],
  fields: {
    1: { name: 'r0', type: 'uint64' },
    2: { name: 'r1', type: 'uint64' },
    3: { name: 'r2', type: 'uint64' },
    4: { name: 'r3', type: 'uint64' },
    5: { name: 'r4', type: 'uint64' },
    6: { name: 'r5', type: 'uint64' },
    7: { name: 'r6', type: 'uint64' },
    8: { name: 'r7', type: 'uint64' },
    9: { name: 'r8', type: 'uint64' },
    10: { name: 'r9', type: 'uint64' },
    11: { name: 'r10', type: 'uint64' },
    12: { name: 'r11', type: 'uint64' },
    13: { name: 'r12', type: 'uint64' },
    14: { name: 'r13', type: 'uint64' },
    15: { name: 'r14', type: 'uint64' },
    16: { name: 'r15', type: 'uint64' },
    17: { name: 'r16', type: 'uint64' },
    18: { name: 'r17', type: 'uint64' },
    19: { name: 'r18', type: 'uint64' },
    20: { name: 'r19', type: 'uint64' },
    21: { name: 'r20', type: 'uint64' },
    22: { name: 'r21', type: 'uint64' },
    23: { name: 'r22', type: 'uint64' },
    24: { name: 'r23', type: 'uint64' },
    25: { name: 'r24', type: 'uint64' },
    26: { name: 'r25', type: 'uint64' },
    27: { name: 'r26', type: 'uint64' },
    28: { name: 'r27', type: 'uint64' },
    29: { name: 'r28', type: 'uint64' },
    30: { name: 'r29', type: 'uint64' },
    31: { name: 'r30', type: 'uint64' },
    32: { name: 'r31', type: 'uint64' },
    33: { name: 'lo', type: 'uint64' },
    34: { name: 'hi', type: 'uint64' },
    35: { name: 'fpu_fcr31', type: 'uint32' },
    36: { name: 'fpu_id', type: 'uint32' },
  },
};

export const thread_info_mips: MessageType<types.ThreadInfoMips> = {
  name: 'thread_info_mips',
  required: ['clear_tid_addr', 'tls', 'gpregs', 'fpregs'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'tls', type: 'uint64' },
    3: { name: 'gpregs', type: user_mips_regs_entry, format: { hex: true } },
    4: { name: 'fpregs', type: user_mips_fpregs_entry, format: { hex: true } },
  },
};

export const user_loongarch64_gpregs_entry: MessageType<types.UserLoongarch64GpregsEntry> = {
  name: 'user_loongarch64_gpregs_entry',
  required: ['pc'],
  fields: {
    1: { name: 'regs', type: 'uint64', repeated: true },
    2: { name: 'pc', type: 'uint64' },
  },
};

export const user_loongarch64_fpregs_entry: MessageType<types.UserLoongarch64FpregsEntry> = {
  name: 'user_loongarch64_fpregs_entry',
  required: ['fcc', 'fcsr'],
  fields: {
    1: { name: 'regs', type: 'uint64', repeated: true },
    2: { name: 'fcc', type: 'uint64' },
    3: { name: 'fcsr', type: 'uint32' },
  },
};

export const thread_info_loongarch64: MessageType<types.ThreadInfoLoongarch64> = {
  name: 'thread_info_loongarch64',
  required: ['clear_tid_addr', 'tls', 'gpregs', 'fpregs'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'tls', type: 'uint64' },
    3: { name: 'gpregs', type: user_loongarch64_gpregs_entry, format: { hex: true } },
    4: { name: 'fpregs', type: user_loongarch64_fpregs_entry, format: { hex: true } },
  },
};

export const user_riscv64_regs_entry: MessageType<types.UserRiscv64RegsEntry> = {
  name: 'user_riscv64_regs_entry',
  required: ['pc', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'],
  fields: {
    1: { name: 'pc', type: 'uint64' },
    2: { name: 'ra', type: 'uint64' },
    3: { name: 'sp', type: 'uint64' },
    4: { name: 'gp', type: 'uint64' },
    5: { name: 'tp', type: 'uint64' },
    6: { name: 't0', type: 'uint64' },
    7: { name: 't1', type: 'uint64' },
    8: { name: 't2', type: 'uint64' },
    9: { name: 's0', type: 'uint64' },
    10: { name: 's1', type: 'uint64' },
    11: { name: 'a0', type: 'uint64' },
    12: { name: 'a1', type: 'uint64' },
    13: { name: 'a2', type: 'uint64' },
    14: { name: 'a3', type: 'uint64' },
    15: { name: 'a4', type: 'uint64' },
    16: { name: 'a5', type: 'uint64' },
    17: { name: 'a6', type: 'uint64' },
    18: { name: 'a7', type: 'uint64' },
    19: { name: 's2', type: 'uint64' },
    20: { name: 's3', type: 'uint64' },
    21: { name: 's4', type: 'uint64' },
    22: { name: 's5', type: 'uint64' },
    23: { name: 's6', type: 'uint64' },
    24: { name: 's7', type: 'uint64' },
    25: { name: 's8', type: 'uint64' },
    26: { name: 's9', type: 'uint64' },
    27: { name: 's10', type: 'uint64' },
    28: { name: 's11', type: 'uint64' },
    29: { name: 't3', type: 'uint64' },
    30: { name: 't4', type: 'uint64' },
    31: { name: 't5', type: 'uint64' },
    32: { name: 't6', type: 'uint64' },
  },
};

export const user_riscv64_d_ext_entry: MessageType<types.UserRiscv64DExtEntry> = {
  name: 'user_riscv64_d_ext_entry',
  required: ['fcsr'],
  fields: {
    1: { name: 'f', type: 'uint64', repeated: true },
    2: { name: 'fcsr', type: 'uint32' },
  },
};

export const thread_info_riscv64: MessageType<types.ThreadInfoRiscv64> = {
  name: 'thread_info_riscv64',
  required: ['clear_tid_addr', 'tls', 'gpregs', 'fpsimd'],
  fields: {
    1: { name: 'clear_tid_addr', type: 'uint64', format: { hex: true } },
    2: { name: 'tls', type: 'uint64' },
    3: { name: 'gpregs', type: user_riscv64_regs_entry, format: { hex: true } },
    4: { name: 'fpsimd', type: user_riscv64_d_ext_entry },
  },
};
