import type { UserX86FpregsEntry, UserX86RegsEntry } from '../../../generated/images/types.ts';
import type { Note } from './elf-format.ts';

const NT_FPREGSET = 2;
const NT_X86_XSTATE = 0x202;
const LEGACY_SIZE = 512;
const HEADER_SIZE = 64;
/** Where the kernel notes in a core file which components the processor has. */
const COMPONENTS_AT = 464;
const FP_AND_SSE = 3n;

/** The general registers in the order of the kernel's `user_regs_struct`. */
export function x86Registers(regs: UserX86RegsEntry): bigint[] {
  const { r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax } = regs;
  const { ip, cs, flags, sp, ss, fs_base, gs_base, ds, es, fs, gs } = regs;
  return [
    ...[r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax],
    ...[ip, cs, flags, sp, ss, fs_base, gs_base, ds, es, fs, gs],
  ];
}

/** The floating-point and vector registers: as FXSAVE stores them, and as XSAVE does. */
export function x86Notes(regs: UserX86FpregsEntry): Note[] {
  const legacy = legacyState(regs);
  const notes: Note[] = [{ owner: 'CORE', type: NT_FPREGSET, content: legacy }];
  const extended = extendedState(legacy, regs);
  if (extended) notes.push({ owner: 'LINUX', type: NT_X86_XSTATE, content: extended });
  return notes;
}

function legacyState(regs: UserX86FpregsEntry): Buffer {
  const bytes = Buffer.alloc(LEGACY_SIZE);
  bytes.writeUInt16LE(regs.cwd & 0xffff, 0);
  bytes.writeUInt16LE(regs.swd & 0xffff, 2);
  bytes.writeUInt16LE(regs.twd & 0xffff, 4);
  bytes.writeUInt16LE(regs.fop & 0xffff, 6);
  bytes.writeBigUInt64LE(regs.rip, 8);
  bytes.writeBigUInt64LE(regs.rdp, 16);
  bytes.writeUInt32LE(regs.mxcsr, 24);
  bytes.writeUInt32LE(regs.mxcsr_mask, 28);
  putWords(bytes, 32, 32, regs.st_space);
  putWords(bytes, 160, 64, regs.xmm_space);
  return bytes;
}

/** A component of the extended state: its bits, and where it is in the format that is not compacted. */
interface Component {
  readonly bits: bigint;
  readonly end: number;
  readonly has: boolean;
  put(bytes: Buffer): void;
}

/** The extended state; undefined if the images do not have it. The size tells gdb where the components are. */
function extendedState(legacy: Buffer, { xsave }: UserX86FpregsEntry): Buffer | undefined {
  if (xsave === undefined) return undefined;
  const { ymmh_space, bndreg_state, bndcsr_state, opmask_reg, zmm_upper, hi16_zmm, pkru } = xsave;
  const components: Component[] = [
    component(0x4n, 576, 832, ymmh_space),
    component(0x18n, 960, 1024, bndreg_state),
    component(0x18n, 1024, 1088, bndcsr_state),
    component(0xe0n, 1088, 1152, opmask_reg),
    component(0xe0n, 1152, 1664, zmm_upper),
    component(0xe0n, 1664, 2688, hi16_zmm),
    component(0x200n, 2688, 2696, pkru),
  ].filter(({ has }) => has);
  const size = Math.max(LEGACY_SIZE + HEADER_SIZE, ...components.map(({ end }) => end));
  const known = components.reduce((bits, one) => bits | one.bits, FP_AND_SSE);
  const bytes = Buffer.alloc(size);
  legacy.copy(bytes);
  bytes.writeBigUInt64LE(known, COMPONENTS_AT);
  bytes.writeBigUInt64LE(xsave.xstate_bv & known, LEGACY_SIZE);
  for (const each of components) each.put(bytes);
  return bytes;
}

function component(
  bits: bigint,
  start: number,
  end: number,
  values: readonly number[] | readonly bigint[] | undefined,
): Component {
  return {
    ...{ bits, end, has: values !== undefined },
    put(bytes) {
      if (typeof values?.[0] === 'bigint') {
        putLongs(bytes, start, (end - start) / 8, values as readonly bigint[]);
      } else putWords(bytes, start, (end - start) / 4, values as readonly number[]);
    },
  };
}

/** Writes at most `most` words of 32 bits. */
function putWords(bytes: Buffer, at: number, most: number, words: readonly number[] = []): void {
  for (const [index, word] of words.slice(0, most).entries()) {
    bytes.writeUInt32LE(word, at + 4 * index);
  }
}

function putLongs(bytes: Buffer, at: number, most: number, longs: readonly bigint[]): void {
  for (const [index, long] of longs.slice(0, most).entries()) {
    bytes.writeBigUInt64LE(long, at + 8 * index);
  }
}
