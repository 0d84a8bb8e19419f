import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { compileFixture } from './compile.ts';
import { startProgram, temporaryDirectory, waitFor } from './workload.ts';

/** A program that changes its mappings all the time, and can verify its own memory: see test/fixtures/remap.c. */
export interface RemapWorkload {
  readonly pid: number;
  /**
   * Has the program check every page; fails if one is wrong.
   * @param ask sends SIGUSR1 to a program that runs under another pid, or elsewhere
   */
  verify(ask?: () => unknown): Promise<void>;
}

/** Starts such a program. It is killed after the test, also if it was restored. */
export async function startRemapWorkload(): Promise<RemapWorkload> {
  const stdout = join(await temporaryDirectory(), 'said');
  const { pid } = await startProgram(await compileFixture('remap'), [], { stdout });
  const said = async () => (await readFile(stdout, 'utf8')).split('\n').slice(0, -1);
  await waitFor(async () => (await said()).includes('ready'), 'the memory is filled');
  return {
    pid,
    async verify(ask = () => process.kill(pid, 'SIGUSR1')) {
      const { length } = await said();
      await ask();
      await waitFor(
        async () => (await said()).length > length,
        'the program has checked its memory',
      );
      expect((await said()).slice(1).filter((line) => !/^ok \d+$/.test(line))).toEqual([]);
    },
  };
}
