// @ts-check
import { readFileSync } from 'node:fs';

/** The CRIU that tests and demo use: CRIU_PATH, or the one that the last set-up found to work. */
export function criuPath() {
  return process.env.CRIU_PATH || foundPath('criu');
}

/** The CRIU that streams images, 4.3 or newer, which the last set-up found to work. */
export function streamingCriuPath() {
  return foundPath('criu-streaming');
}

/** @param {string} name */
function foundPath(name) {
  try {
    return readFileSync(new URL(`../.cache/${name}/path`, import.meta.url), 'utf8').trim();
  } catch (cause) {
    throw new Error('No CRIU is set up here; run: npm run setup', { cause });
  }
}
