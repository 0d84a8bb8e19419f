import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { compileFixture } from './compile.ts';
import { temporaryDirectory } from './workload.ts';

/** A copy of a program that can be executed only once it is released: until then execve(2) waits. */
export async function heldProgram(program: string) {
  const file = join(await temporaryDirectory(), 'held');
  await copyFile(program, file);
  const holder = execa(await compileFixture('lease'), [file], { buffer: false, reject: false });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const release = async () => {
    holder.stdin.end();
    await holder;
  };
  return { file, release };
}
