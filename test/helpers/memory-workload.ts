import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Criu } from '../../src/index.ts';
import { compileFixture } from './compile.ts';
import { type Program, startProgram, temporaryDirectory, waitFor, waitGone } from './workload.ts';

/** The size and behaviour of a memory workload: see test/fixtures/memory.c. */
export interface MemoryOptions {
  readonly heapMiB: number;
  /** How much of the heap is written over and over, in MiB. */
  readonly hotMiB: number;
  readonly pagesPerSecond: number | 'max';
  readonly pattern?: 'fixed' | 'growing' | 'shrinking' | 'spiky';
  /** Variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that can verify its own memory. */
export interface MemoryWorkload extends Program {
  /**
   * Has the program check every page. Resolves with the number of writes that its memory records;
   * fails if a page is stale, or if all of the memory is older than the program's output.
   * @param ask sends SIGUSR1 to a program that runs under another pid, or elsewhere
   */
  verify(ask?: () => unknown): Promise<number>;
  /**
   * Has the program check every page, and checks that it writes on. A copy of the program may have
   * written more: then all of the memory is older than the output, which is correct.
   */
  verifyOriginal(): Promise<void>;
  /** Resolves when the program has written more than now. */
  writesOn(): Promise<void>;
}

/** Starts a memory workload. It is killed after the test, also if it was restored. */
export async function startMemoryWorkload(options: MemoryOptions): Promise<MemoryWorkload> {
  const { heapMiB, hotMiB, pagesPerSecond, pattern = 'fixed', env } = options;
  const directory = await temporaryDirectory();
  const [file, stdout] = [join(directory, 'writes'), join(directory, 'said')];
  const args = [file, heapMiB, hotMiB, pagesPerSecond, pattern].map(String);
  const program = await startProgram(await compileFixture('memory'), args, {
    stdout,
    ...(env && { env: { ...process.env, ...env } as Record<string, string> }),
  });
  const said = async () => (await readFile(stdout, 'utf8')).split('\n').slice(0, -1);
  const written = async () => Number(await readFile(file, 'utf8').catch(() => '0'));
  await waitFor(async () => (await said()).includes('ready'), 'the memory is filled');

  const ask = async (by: () => unknown) => {
    const before = (await said()).length;
    await by();
    await waitFor(async () => (await said()).length > before, 'the program has checked its memory');
    return (await said()).at(-1) ?? '';
  };
  const countIn = (answer: string, pattern: RegExp) => {
    const writes = Number(pattern.exec(answer)?.[1]);
    if (Number.isNaN(writes)) throw new Error(`memory of process ${program.pid}: ${answer}`);
    return writes;
  };
  const byItsPid = () => process.kill(program.pid, 'SIGUSR1');
  const verify = async (by = byItsPid as () => unknown) => countIn(await ask(by), /^ok (\d+)$/);
  const verifyOriginal = async () => {
    const known = async () => countIn(await ask(byItsPid), /^(?:ok )?(\d+)(?:$| writes are noted)/);
    const before = await known();
    await waitFor(async () => (await known()) > before, `process ${program.pid} writes on`);
  };
  const writesOn = async () => {
    const before = await written();
    await waitFor(async () => (await written()) > before, `process ${program.pid} writes on`);
  };
  return { ...program, verify, verifyOriginal, writesOn };
}

/** Dumps a memory workload: it has ended, and can be restored from the images. */
export async function dumpedMemory(criu: Criu, heapMiB: number) {
  const memory = await startMemoryWorkload({ heapMiB, hotMiB: 4, pagesPerSecond: 2000 });
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(memory.pid, { imagesDirectory });
  await waitGone(memory.pid);
  return { memory, imagesDirectory };
}
