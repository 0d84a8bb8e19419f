import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CriuOpts } from '../index.ts';
import { estimateMemory } from './memory-estimate.ts';
import type { Output } from './output.ts';
import { formatBytes } from './quantities.ts';

const INTERVAL_MS = 100;

/** Reports how much memory is in the images while a dump runs, if it writes to a local directory. */
export async function withDumpProgress<T>(
  output: Output,
  pid: number,
  { imagesDirectory, pageServer, lazyPages, stream }: CriuOpts,
  dump: () => Promise<T>,
): Promise<T> {
  const isLocal = typeof imagesDirectory === 'string' && !pageServer && !lazyPages && !stream;
  if (!isLocal) return await dump();
  const expected = estimateMemory(pid);
  let last = 0;
  const report = () => {
    const bytes = sizeOfPages(imagesDirectory);
    if (bytes === last) return;
    last = bytes;
    const aboutBytes = Math.max(expected, bytes);
    const text = `${formatBytes(bytes)} of about ${formatBytes(aboutBytes)} written`;
    output.progress({ bytes, aboutBytes }, text, bytes / aboutBytes);
  };
  const timer = setInterval(report, INTERVAL_MS);
  try {
    const result = await dump();
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
    // CRIU has not created the directory yet.
    return 0;
  }
}
