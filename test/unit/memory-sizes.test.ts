import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import {
  type CoreEntry,
  encodeImage,
  hexdump,
  type MemoryPiece,
  memorySizes,
  readMemory,
  writeCore,
} from '../../src/images.ts';
import {
  filled,
  LAZY,
  PAGE,
  PARENT,
  PRESENT,
  vma,
  writeLevel,
  writeMm,
} from '../helpers/memory-images.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const FILE = 1 << 6;
const ANONYMOUS = 1 << 9;
const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

/** A process of arm64 with a stack, a mapping of a missing file, and pages in a parent and in the process. */
async function writeProcess() {
  const base = await temporaryDirectory();
  const [parent, directory] = [join(base, 'parent'), join(base, 'images')];
  await writeLevel(parent, [[10, 2, PRESENT]], filled('ab'));
  const runs: [number, number, number][] = [
    [10, 1, PARENT],
    [11, 1, PRESENT],
    [20, 1, PRESENT],
    [30, 2, LAZY],
    [31 + 1, 1, PRESENT],
  ];
  await writeLevel(directory, runs, filled('Bfz'));
  await symlink('../parent', join(directory, 'parent'));
  const name = '/no/such/file';
  const reg = { id: 5, flags: 0, pos: 0n, fown, name, size: BigInt(4 * PAGE) };
  const file = { message: { type: 'REG' as const, id: 5, reg } };
  await encodeImage(join(directory, 'files.img'), 'FILES', [file]);
  const mapped = { shmid: 5n, pgoff: BigInt(PAGE) };
  await writeMm(
    directory,
    [
      vma(19, 3, FILE, mapped),
      vma(10, 5, ANONYMOUS),
      vma(30, 3, ANONYMOUS, { prot: 1 }),
      vma(40, 8, ANONYMOUS, { prot: 0 }),
    ],
    {
      ...{ mm_start_stack: BigInt(11 * PAGE), mm_arg_start: BigInt(11 * PAGE) },
      ...{ mm_arg_end: BigInt(11 * PAGE + 5), mm_saved_auxv: [6n, 4096n, 0n, 0n] },
    },
  );
  const core: CoreEntry = {
    mtype: 'AARCH64',
    ti_aarch64: {
      ...{ clear_tid_addr: 0n, tls: 0x1234n },
      gpregs: {
        regs: Array.from({ length: 31 }, (_, index) => BigInt(index)),
        sp: 7n,
        pc: 8n,
        pstate: 9n,
      },
      fpsimd: { vregs: Array.from({ length: 64 }, () => 1n), fpsr: 1, fpcr: 2 },
    },
    tc: { task_state: 1, exit_code: 0, personality: 0, flags: 0, blk_sigset: 0n, comm: 'sample' },
  };
  await encodeImage(join(directory, 'core-7.img'), 'CORE', [{ message: core }]);
  const tree = { pid: 7, ppid: 0, pgid: 7, sid: 7, threads: [7] };
  await encodeImage(join(directory, 'pstree.img'), 'PSTREE', [{ message: tree }]);
  return directory;
}

test('the sizes of mappings and files say where the memory is', async () => {
  const directory = await writeProcess();
  const [process, ...others] = await memorySizes(directory);
  expect(others).toEqual([]);
  const pages = (process?.mappings ?? []).map(({ kind, path, ...sizes }) => [
    path ?? kind,
    ...[
      sizes.size,
      sizes.bytesStored,
      sizes.bytesInParents,
      sizes.bytesLazy,
      sizes.bytesAbsent,
    ].map((size) => size / PAGE),
  ]);
  expect(pages).toEqual([
    ['stack', 5, 1, 1, 0, 3],
    ['/no/such/file', 3, 1, 0, 0, 2],
    ['anonymous', 3, 1, 0, 2, 0],
    ['anonymous', 8, 0, 0, 0, 8],
  ]);
  expect(process).toMatchObject({
    ...{ pid: 7, name: 'sample', size: 19 * PAGE, bytesStored: 3 * PAGE, bytesInParents: PAGE },
    files: [{ path: '/no/such/file', mappings: 1, size: 3 * PAGE, bytesStored: PAGE }],
  });
  // A round has no mappings.
  const [round] = await memorySizes(join(directory, 'parent'));
  expect(round).toMatchObject({ pid: 7, name: undefined, mappings: [], bytesStored: 2 * PAGE });
});

test('a core file of arm64 has what is known of each mapping', async () => {
  const directory = await writeProcess();
  const path = join(directory, '../core');
  expect(await writeCore(directory, { pid: 7, path })).toEqual({
    ...{ size: (1 + 5 + 1 + 1) * PAGE, threads: 1, missing: ['/no/such/file'] },
  });
  const { stdout } = await execa('readelf', ['--wide', '--notes', '--segments', path]);
  const loads = [...stdout.matchAll(/LOAD +\w+ 0x0*(\w+) \w+ 0x0*(\w*) 0x0*(\w+) (.{3})/g)];
  expect(loads.map(([, ...fields]) => fields.join(' '))).toEqual([
    ...['a000 5000 5000 RW ', '13000  1000 RW ', '14000 1000 1000 RW ', '15000  1000 RW '],
    ...['1e000  2000 R  ', '20000 1000 1000 R  ', '28000  8000    '],
  ]);
  const notes = [...stdout.matchAll(/^ +(?:CORE|LINUX) +0x(\w+)\t(\w+)/gm)];
  expect(notes.map(([, size, type]) => [type, Number.parseInt(size ?? '', 16)])).toEqual([
    ...[
      ['NT_PRSTATUS', 392],
      ['NT_PRPSINFO', 136],
      ['NT_AUXV', 32],
    ],
    ...[
      ['NT_FILE', 54],
      ['NT_FPREGSET', 528],
      ['NT_ARM_TLS', 8],
    ],
  ]);
  const core = await readFile(path);
  expect(core.readUInt16LE(18)).toBe(183);
  expect(core.subarray(PAGE, 3 * PAGE)).toEqual(filled('aB'));
  expect(core.includes('sample\0')).toBe(true);
  expect(core.includes('BBBBB\0')).toBe(true);

  await encodeImage(join(directory, 'core-7.img'), 'CORE', [{ message: { mtype: 'S390' } }]);
  await expect(writeCore(directory, { pid: 7, path })).rejects.toMatchObject({
    ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'pid' },
  });
});

test('a dump in hexadecimal leaves out rows that repeat', async () => {
  const directory = await temporaryDirectory();
  await writeLevel(
    directory,
    [
      [1, 1, PRESENT],
      [3, 1, PRESENT],
    ],
    filled('aA'),
  );
  const text = async (pieces: AsyncIterable<MemoryPiece> | MemoryPiece[]) => {
    let all = '';
    for await (const lines of hexdump(pieces)) all += lines;
    return all;
  };
  const hex = (byte: string) => `${`${byte} `.repeat(8)} ${`${byte} `.repeat(8)}`;
  expect(await text(readMemory(directory, { pid: 7 }))).toBe(
    [
      `0000000000001000  ${hex('61')} |${'a'.repeat(16)}|`,
      ...['*', '0000000000002000'],
      `0000000000003000  ${hex('41')} |${'A'.repeat(16)}|`,
      ...['*', '0000000000004000', ''],
    ].join('\n'),
  );
  const bytes = Buffer.from('\x1b[31mred\x7f');
  expect(await text([{ address: 16n, bytes }])).toBe(
    '0000000000000010  1b 5b 33 31 6d 72 65 64  7f                       |.[31mred.|\n',
  );
});
