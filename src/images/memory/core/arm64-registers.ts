import type { ThreadInfoAarch64, UserAarch64RegsEntry } from '../../../generated/images/types.ts';
import type { Note } from './elf-format.ts';

const NT_FPREGSET = 2;
const NT_ARM_TLS = 0x401;
const GENERAL = 31;
const VECTOR_HALVES = 64;
const FLOATING_SIZE = 528;

/** The general registers in the order of the kernel's `user_pt_regs`. */
export function arm64Registers({ regs = [], sp, pc, pstate }: UserAarch64RegsEntry): bigint[] {
  return [...Array.from({ length: GENERAL }, (_, index) => regs[index] ?? 0n), sp, pc, pstate];
}

/** The floating-point and vector registers, and the one of thread-local storage. */
export function arm64Notes({ fpsimd, tls }: ThreadInfoAarch64): Note[] {
  const floating = Buffer.alloc(FLOATING_SIZE);
  for (const [index, half] of (fpsimd.vregs ?? []).slice(0, VECTOR_HALVES).entries()) {
    floating.writeBigUInt64LE(half, 8 * index);
  }
  floating.writeUInt32LE(fpsimd.fpsr, 8 * VECTOR_HALVES);
  floating.writeUInt32LE(fpsimd.fpcr, 8 * VECTOR_HALVES + 4);
  const storage = Buffer.alloc(8);
  storage.writeBigUInt64LE(tls);
  return [
    { owner: 'CORE', type: NT_FPREGSET, content: floating },
    { owner: 'LINUX', type: NT_ARM_TLS, content: storage },
  ];
}
