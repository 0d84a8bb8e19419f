import { readdirSync, type Stats, statSync } from 'node:fs';
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
  let images: Images | undefined;
  let last = 0;
  const report = () => {
    const bytes = images?.writtenBytes() ?? 0;
    // The images are moved once they are complete.
    if (bytes <= last) return;
    last = bytes;
    const aboutBytes = Math.max(expected, bytes);
    const text = `${formatBytes(bytes)} of about ${formatBytes(aboutBytes)}`;
    output.progress({ bytes, aboutBytes }, text, bytes / aboutBytes);
  };
  const timer = setInterval(report, INTERVAL_MS);
  try {
    const result = await dump({
      preDump(directory) {
        images = new Images(directory);
      },
      postDump: report,
    });
    report();
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** The image files with memory that a dump writes; the directory can hold those of an earlier one. */
class Images {
  readonly #directory: string;
  readonly #before: ReadonlyMap<string, Stats>;

  constructor(directory: string) {
    this.#directory = directory;
    this.#before = pagesIn(directory);
  }

  writtenBytes(): number {
    let sum = 0;
    for (const [name, { size, mtimeMs }] of pagesIn(this.#directory)) {
      if (this.#before.get(name)?.mtimeMs !== mtimeMs) sum += size;
    }
    return sum;
  }
}

function pagesIn(directory: string): Map<string, Stats> {
  try {
    const names = readdirSync(directory).filter((name) => /^pages-.*\.img$/.test(name));
    return new Map(names.map((name) => [name, statSync(join(directory, name))]));
  } catch {
    // The images have been moved.
    return new Map();
  }
}
