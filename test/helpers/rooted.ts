import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { compileFixture } from './compile.ts';
import { startProgram, temporaryDirectory, waitFor } from './workload.ts';

/** What the file has with a text in its first line. It may be open at a dump, and CRIU wants its size again. */
export const withLine = (text: string) => `${text}\n`.padEnd(40);

/**
 * Starts a program in a mount namespace of its own that reads a file on a mount, which is one from
 * outside unless it is said to be another.
 */
export async function startRooted(mounted?: string, text = 'outside') {
  const directory = await temporaryDirectory();
  const [root, outside, elsewhere] = ['root', 'outside', 'elsewhere'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  await mkdir(join(root, 'ext'), { recursive: true });
  for (const place of [outside, elsewhere]) {
    await mkdir(place);
    await writeFile(join(place, 'text'), withLine(place.slice(directory.length + 1)));
  }
  const program = await compileFixture('rooted');
  await copyFile(program, join(root, 'rooted'));
  const { pid } = await startProgram(program, [root, `${mounted ?? outside}=/ext`]);

  // CRIU restores into a root that is a mount point.
  await bindToItself(root);
  const said = async () => await readFile(join(root, 'out'), 'utf8').catch(() => '');
  const reads = async (wanted: string) => {
    const { length } = await said();
    const line = new RegExp(`^\\d+ ${wanted}$`, 'm');
    const found = async () => line.test((await said()).slice(length));
    await waitFor(found, `the program reads '${wanted}'`);
  };
  await reads(text);
  return { pid, root, outside, elsewhere, reads, imagesDirectory: join(directory, 'images') };
}

/** Makes a directory a mount point until the test ends. */
export async function bindToItself(directory: string): Promise<void> {
  await execa('mount', ['--bind', directory, directory]);
  onTestFinished(async () => void (await execa('umount', ['-l', directory])));
}
