import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatSync } from '../procfs/stat.ts';
import { containerFailure } from './container-failure.ts';
import type { FoundContainer } from './find-container.ts';
import { isRunning } from './runtime-state.ts';

/** The name of the process of runc that becomes the program of a container. */
const INIT = 'runc:[2:INIT]';
/** A file in the state of a container of runc until it is started. */
const NOT_STARTED = 'exec.fifo';
const LIMIT_MS = 10_000;
const POLL_MS = 5;

/**
 * Waits until the first process of a container executes its program: `runc run --detach` and `runc start` may end
 * before it does.
 * @throws CriuError ERR_CRIU_CONTAINER if the container is not started, has ended or does not execute its program
 */
export async function awaitProgram(
  operation: string,
  { root, state }: FoundContainer,
): Promise<void> {
  const fail = (reason: string) => {
    throw containerFailure(operation, state.id, reason);
  };
  const until = performance.now() + LIMIT_MS;
  for (;;) {
    if (!isRunning(state)) fail('it does not run');
    if (existsSync(join(root, state.id, NOT_STARTED))) {
      fail(`it is not started yet; run: runc --root ${root} start ${state.id}`);
    }
    if (readStatSync(state.pid)?.name !== INIT) return;
    if (performance.now() >= until) fail(`it has not executed its program within ${LIMIT_MS} ms`);
    await sleep(POLL_MS);
  }
}
