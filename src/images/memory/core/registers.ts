import type { CoreEntry } from '../../../generated/images/types.ts';
import { arm64Notes, arm64Registers } from './arm64-registers.ts';
import type { Note } from './elf-format.ts';
import { x86Notes, x86Registers } from './x86-registers.ts';

/** How a core file shows the registers of a thread. */
export interface Registers {
  /** The number of the processor architecture in an ELF file. */
  readonly machine: number;
  /** The general registers in the order of the kernel. */
  readonly general: readonly bigint[];
  /** Notes about the other registers. */
  readonly notes: readonly Note[];
}

const X86_64 = 62;
const AARCH64 = 183;

/** Undefined for an architecture of which core files are not written, and for programs of 32 bits. */
export function registersOf({ thread_info, ti_aarch64 }: CoreEntry): Registers | undefined {
  if (thread_info) {
    const { gpregs, fpregs } = thread_info;
    if (gpregs.mode === 'COMPAT') return undefined;
    return { machine: X86_64, general: x86Registers(gpregs), notes: x86Notes(fpregs) };
  }
  if (ti_aarch64) {
    const general = arm64Registers(ti_aarch64.gpregs);
    return { machine: AARCH64, general, notes: arm64Notes(ti_aarch64) };
  }
  return undefined;
}
