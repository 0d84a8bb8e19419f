import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CriuOpts } from '../index.ts';
import { readStatusSync } from '../procfs/status.ts';
import { descendantsOf } from '../procfs/tree.ts';
import type { Output } from './output.ts';
import { shownBytes } from './quantities.ts';

const INTERVAL_MS = 100;

/** Tells how much of the memory of a tree is in the images, for as long as `work` takes. */
export async function tellingWritten<T>(
  output: Output,
  pid: number,
  options: CriuOpts,
  work: () => Promise<T>,
): Promise<T> {
  const { imagesDirectory, pageServer, lazyPages, stream } = options;
  const isHere = typeof imagesDirectory === 'string' && !pageServer && !lazyPages && !stream;
  if (!isHere) return await work();
  const expected = memoryOf(pid);
  let last = 0;
  const tell = () => {
    const bytes = pagesIn(imagesDirectory);
    if (bytes === last) return;
    last = bytes;
    const aboutBytes = Math.max(expected, bytes);
    const text = `${shownBytes(bytes)} of about ${shownBytes(aboutBytes)} are written`;
    output.progress({ bytes, aboutBytes }, text, bytes / aboutBytes);
  };
  const timer = setInterval(tell, INTERVAL_MS);
  try {
    const result = await work();
    tell();
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** About what the memory takes in images, in bytes: a page that processes share is written once. */
export function memoryOf(root: number): number {
  const sizes = descendantsOf(root).map((pid) => {
    const status = readStatusSync(pid);
    return { own: (status?.anonymous ?? 0) + (status?.swapped ?? 0), shared: status?.shared ?? 0 };
  });
  const own = sizes.reduce((sum, { own }) => sum + own, 0);
  return own + Math.max(0, ...sizes.map(({ shared }) => shared));
}

function pagesIn(directory: string): number {
  try {
    const names = readdirSync(directory).filter((name) => /^pages-.*\.img$/.test(name));
    return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  } catch {
    // CRIU has not made it yet.
    return 0;
  }
}
