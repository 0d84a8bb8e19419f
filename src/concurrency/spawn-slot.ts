import { setImmediate as nextTurn } from 'node:timers/promises';

/** Resolves when the event loop has made a turn since the last start of a process. */
let turn: Promise<void> | undefined;

/**
 * Waits until a process may be started: one in each turn of the event loop. Starting a process blocks
 * the event loop for some milliseconds, until the child executes its program; a hundred operations
 * at once would otherwise block it for all of them together.
 */
export async function spawnSlot(): Promise<void> {
  while (turn) await turn;
  turn = nextTurn().then(() => {
    turn = undefined;
  });
}
