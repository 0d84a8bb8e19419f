import { realpath } from 'node:fs/promises';
import { join } from 'node:path';

/** The real paths of a directory and of its parents, as far as they exist. */
export async function chainOf(directory: string): Promise<string[]> {
  const chain: string[] = [];
  for (let at: string | undefined = directory; at !== undefined; ) {
    const path: string | undefined = await realpath(at).catch(() => undefined);
    if (path === undefined || chain.includes(path)) break;
    chain.push(path);
    at = join(path, 'parent');
  }
  return chain;
}
