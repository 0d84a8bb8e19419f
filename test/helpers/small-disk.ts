import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './workload.ts';

/** A directory with only so much space, such as `1m`. */
export async function smallDisk(size: string): Promise<string> {
  const directory = await temporaryDirectory();
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'node-criu', directory]);
  onTestFinished(async () => void (await execa('umount', ['-l', directory])));
  return directory;
}
