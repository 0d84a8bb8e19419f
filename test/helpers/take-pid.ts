import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileFixture } from './compile.ts';
import { type Program, startProgram, temporaryDirectory, waitFor } from './workload.ts';

/** Has another process take a pid, until it is killed; its parent, a child of this one, ends then. */
export async function takePid(pid: number): Promise<Program> {
  const stdout = join(await temporaryDirectory(), 'said');
  const program = await compileFixture('take-pid');
  const taker = await startProgram(program, [`${pid}`], { stdout, env: {} });
  const said = async () => await readFile(stdout, 'utf8').catch(() => '');
  await waitFor(async () => (await said()) === 'taken\n', `pid ${pid} is taken`);
  return taker;
}
