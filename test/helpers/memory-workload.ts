import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Criu } from '../../src/index.ts';
import { compileFixture } from './compile.ts';
import { type Program, startProgram, temporaryDirectory, waitFor, waitGone } from './workload.ts';

/** What a memory workload has and does; see test/fixtures/memory.c. */
export interface MemoryOptions {
  readonly heapMiB: number;
  /** What is written to over and over, in MiB. */
  readonly hotMiB: number;
  readonly pagesPerSecond: number | 'max';
  readonly pattern?: 'fixed' | 'growing' | 'shrinking' | 'spiky';
}

/** A program whose memory can tell whether it is what it should be. */
export interface MemoryWorkload extends Program {
  /**
   * Looks at every page. Resolves with the number of writes that the memory knows of; fails if a
   * page is stale, or if all of it together is older than what has come out of the program.
   * @param ask sends SIGUSR1 to the program, if that is not to be found under its pid here
   */
  verify(ask?: () => unknown): Promise<number>;
  /**
   * Looks at every page, and whether it goes on writing, where a copy of the program may have come
   * further: all of the memory is of an earlier time then, and that is right.
   */
  verifyOriginal(): Promise<void>;
  /** Resolves when it has written further than it has now. */
  writesOn(): Promise<void>;
}

/** Starts a memory workload, which is killed after the test, also once it is restored. */
export async function startMemoryWorkload(options: MemoryOptions): Promise<MemoryWorkload> {
  const { heapMiB, hotMiB, pagesPerSecond, pattern = 'fixed' } = options;
  const directory = await temporaryDirectory();
  const [file, stdout] = [join(directory, 'writes'), join(directory, 'said')];
  const args = [file, heapMiB, hotMiB, pagesPerSecond, pattern].map(String);
  const program = await startProgram(await compileFixture('memory'), args, { stdout });
  const said = async () => (await readFile(stdout, 'utf8')).split('\n').slice(0, -1);
  const written = async () => Number(await readFile(file, 'utf8').catch(() => '0'));
  await waitFor(async () => (await said()).includes('ready'), 'the memory is filled');

  const ask = async (by: () => unknown) => {
    const before = (await said()).length;
    await by();
    await waitFor(async () => (await said()).length > before, 'it has looked at its memory');
    return (await said()).at(-1) ?? '';
  };
  const told = (answer: string, pattern: RegExp) => {
    const writes = Number(pattern.exec(answer)?.[1]);
    if (Number.isNaN(writes)) throw new Error(`memory of process ${program.pid}: ${answer}`);
    return writes;
  };
  const byItsPid = () => process.kill(program.pid, 'SIGUSR1');
  const verify = async (by = byItsPid as () => unknown) => told(await ask(by), /^ok (\d+)$/);
  const verifyOriginal = async () => {
    const known = async () => told(await ask(byItsPid), /^(?:ok )?(\d+)(?:$| writes are noted)/);
    const before = await known();
    await waitFor(async () => (await known()) > before, `process ${program.pid} writes on`);
  };
  const writesOn = async () => {
    const before = await written();
    await waitFor(async () => (await written()) > before, `process ${program.pid} writes on`);
  };
  return { ...program, verify, verifyOriginal, writesOn };
}

/** A memory workload that is only in its images any more. */
export async function dumpedMemory(criu: Criu, heapMiB: number) {
  const memory = await startMemoryWorkload({ heapMiB, hotMiB: 4, pagesPerSecond: 2000 });
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(memory.pid, { imagesDirectory });
  await waitGone(memory.pid);
  return { memory, imagesDirectory };
}
