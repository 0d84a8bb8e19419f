import { constants } from 'node:os';

/** Since Linux 5.1 new system calls have the same number on all architectures. */
const IO_URING_SETUP = 425;
/** Set in the number of a system call of the x32 ABI on x86-64. */
const X32_BIT = 0x40000000;

// Classic BPF, as in linux/bpf_common.h and linux/seccomp.h.
const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const RET_ERRNO = 0x00050000;
const RET_ALLOW = 0x7fff0000;

/**
 * A seccomp filter that makes io_uring_setup fail with ENOSYS, as on a kernel without io_uring: CRIU
 * cannot dump an io_uring, and libuv works without one. Children of the program inherit the filter.
 */
export function ioUringFilter(): Uint8Array {
  return program([
    [LOAD_WORD, 0, 0, 0],
    [AND, 0, 0, ~X32_BIT >>> 0],
    [JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP],
    [RETURN, 0, 0, RET_ERRNO | constants.errno.ENOSYS],
    [RETURN, 0, 0, RET_ALLOW],
  ]);
}

/** struct sock_filter: code, jump if true, jump if false, operand. */
function program(instructions: readonly (readonly [number, number, number, number])[]): Uint8Array {
  const bytes = new Uint8Array(8 * instructions.length);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, ifTrue, ifFalse, operand], index) => {
    view.setUint16(8 * index, code, true);
    view.setUint8(8 * index + 2, ifTrue);
    view.setUint8(8 * index + 3, ifFalse);
    view.setUint32(8 * index + 4, operand, true);
  });
  return bytes;
}
