import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileFixture } from './compile.ts';
import { type Program, startProgram, temporaryDirectory, waitFor } from './workload.ts';

/** Occupies a pid with another process until that is killed; its parent, our child, ends then. */
export async function takePid(pid: number): Promise<Program> {
  const stdout = join(await temporaryDirectory(), 'said');
  const program = await compileFixture('take-pid');
  const taker = await startProgram(program, [`${pid}`], { stdout, env: {} });
  const said = async () => await readFile(stdout, 'utf8').catch(() => '');
  await waitFor(async () => (await said()) === 'taken\n', `pid ${pid} is taken`);
  return taker;
}
