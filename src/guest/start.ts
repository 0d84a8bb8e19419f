import { isMainThread } from 'node:worker_threads';
import { GuestConnection } from './connection.ts';
import { Guest } from './guest.ts';
import { FD_VARIABLE, PARTICIPANT_VARIABLE } from './protocol.ts';
import { uniqueness } from './unique.ts';

/** One guest for each thread, also if the library is loaded more than once. */
const KEY = Symbol.for('node-criu.guest');

/** The guest of this thread; undefined if the program is not started for a template. */
export function theGuest(): Guest | undefined {
  const global = globalThis as { [KEY]?: Guest };
  if (!(KEY in global)) {
    // Not enumerable.
    Object.defineProperty(global, KEY, { value: start() });
  }
  return global[KEY];
}

function start(): Guest | undefined {
  const { env } = process;
  if (env[FD_VARIABLE] === undefined && env[PARTICIPANT_VARIABLE] === undefined) return undefined;
  return isMainThread ? startMain() : undefined;
}

function startMain(): Guest | undefined {
  const { env } = process;
  const fd = Number(env[FD_VARIABLE]);
  if (!Number.isInteger(fd)) return undefined;
  // Children inherit the environment, but not the descriptor.
  delete env[FD_VARIABLE];
  env[PARTICIPANT_VARIABLE] = String(process.pid);
  return new Guest((onMessage) => new GuestConnection(fd, onMessage), uniqueness(), []);
}
