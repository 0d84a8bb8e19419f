import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CriuOpts, Hooks } from '../index.ts';
import { estimateMemory } from './memory-estimate.ts';
import type { Output } from './output.ts';
import { formatBytes } from './quantities.ts';

const INTERVAL_MS = 100;

/**
 * Reports how much memory is in the images while a dump runs, if it writes to a local directory.
 * @param dump gets the hooks that learn where the images are, and when they are complete
 */
export async function withDumpProgress<T>(
  output: Output,
  pid: number,
  { pageServer, lazyPages, stream }: CriuOpts,
  dump: (hooks: Pick<Hooks, 'preDump' | 'postDump'>) => Promise<T>,
): Promise<T> {
  if (pageServer || lazyPages || stream) return await dump({});
  const expected = estimateMemory(pid);
  let imagesDirectory: string | undefined;
  let last = 0;
  const report = () => {
    const bytes = imagesDirectory === undefined ? 0 : sizeOfPages(imagesDirectory);
    // The images are moved once they are complete.
    if (bytes <= last) return;
    last = bytes;
    const aboutBytes = Math.max(expected, bytes);
    const text = `${formatBytes(bytes)} of about ${formatBytes(aboutBytes)} written`;
    output.progress({ bytes, aboutBytes }, text, bytes / aboutBytes);
  };
  const timer = setInterval(report, INTERVAL_MS);
  try {
    const result = await dump({
      preDump(directory) {
        imagesDirectory = directory;
      },
      postDump: report,
    });
    report();
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** The size of the image files that contain memory, in bytes. */
function sizeOfPages(directory: string): number {
  try {
    const names = readdirSync(directory).filter((name) => /^pages-.*\.img$/.test(name));
    return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  } catch {
    // The dump is over.
    return 0;
  }
}
