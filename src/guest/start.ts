import { fstatSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Children } from './children.ts';
import { Connection, guestEnd } from './connection.ts';
import { CreationStacks } from './creation-stacks.ts';
import { Guest, type OpenChannel } from './guest.ts';
import { openHandles } from './open-handles.ts';
import { ParentConnection } from './parent-connection.ts';
import { FD_VARIABLE, PARTICIPANT_VARIABLE, STACKS_VARIABLE } from './protocol.ts';
import { ThreadConnection } from './thread-connection.ts';
import { Threads } from './threads.ts';
import { ThreadUniqueness } from './unique.ts';

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
  const { env, pid, ppid } = process;
  const [fd, participant] = [env[FD_VARIABLE], env[PARTICIPANT_VARIABLE]];
  if (fd === undefined && participant === undefined) return undefined;
  if (!isMainThread) {
    return fd !== undefined || participant === String(pid) ? startWorker() : undefined;
  }
  if (fd !== undefined) {
    if (!isConnection(Number(fd))) return warn(fd);
    return startMain((onMessage) => new Connection(Number(fd), guestEnd, onMessage));
  }
  // A child of child_process.fork or cluster; other children have no way to take part.
  if (participant !== String(ppid) || !process.send) return undefined;
  return startMain((onMessage) => new ParentConnection(onMessage));
}

/** False in a child of a program that does not load the library, which inherits the variable only. */
function isConnection(fd: number): boolean {
  const { channel } = process as { channel?: { fd?: number } };
  try {
    return fstatSync(fd).isSocket() && channel?.fd !== fd;
  } catch {
    return false;
  }
}

function warn(fd: string): undefined {
  const reason = `descriptor ${fd} of ${FD_VARIABLE} is not a connection to a host`;
  process.emitWarning(`node-criu/guest takes no part in checkpoints: ${reason}`);
}

/** The main thread of a process. */
function startMain(open: OpenChannel): Guest {
  const { env } = process;
  // Children inherit the environment, but not the descriptor.
  delete env[FD_VARIABLE];
  env[PARTICIPANT_VARIABLE] = String(process.pid);
  const stacks = env[STACKS_VARIABLE] === '1' ? new CreationStacks() : undefined;
  return new Guest(open, new ThreadUniqueness(), () => openHandles(stacks), [
    (onRequest) => new Children(onRequest),
    (onRequest) => new Threads(onRequest),
  ]);
}

/** A worker thread of a process that takes part. */
function startWorker(): Guest {
  const noHandles = () => [];
  return new Guest(
    (onMessage) => new ThreadConnection(onMessage),
    new ThreadUniqueness(),
    noHandles,
  );
}
