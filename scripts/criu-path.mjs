// @ts-check
import { readFileSync } from 'node:fs';

/** The CRIU that tests and demo use: CRIU_PATH, or the one that the last set-up found to work. */
export function criuPath() {
  if (process.env.CRIU_PATH) return process.env.CRIU_PATH;
  try {
    return readFileSync(new URL('../.cache/criu/path', import.meta.url), 'utf8').trim();
  } catch (cause) {
    throw new Error('No CRIU is set up here; run: npm run setup', { cause });
  }
}
