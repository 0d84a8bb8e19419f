import { native } from '../native/index.ts';
import { findExecutable } from '../process/executable.ts';
import type { Pool } from './pool.ts';
import type { Program } from './program.ts';

/** A criu binary, and the pool that starts workers of it ahead. */
export interface Binary extends Program {
  readonly pool?: Pool | undefined;
}

/** What is known of the criu to run. */
interface Wanted {
  readonly path: string | undefined;
  readonly pool?: Pool | undefined;
}

/**
 * Finds the criu to run: `path`, else CRIU_PATH, else `criu` on PATH.
 * @throws CriuError ERR_CRIU_UNSUPPORTED_PLATFORM, ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION
 */
export async function locate(operation: string, { path, pool }: Wanted): Promise<Binary> {
  native(); // On another platform a criu that is not found would be the wrong thing to look for.
  const name = path ?? (process.env.CRIU_PATH || 'criu');
  const advice = '; install criu, or name it by the option path or by CRIU_PATH';
  const found = await findExecutable(operation, name, { advice });
  const { dev, ino, size, mtimeMs } = found.stats;
  return { path: found.path, identity: [found.path, dev, ino, size, mtimeMs].join(), pool };
}
