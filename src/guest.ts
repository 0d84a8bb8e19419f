import type { RestoreEvent } from './guest/guest.ts';
import { theGuest } from './guest/start.ts';

export type { RestoreEvent } from './guest/guest.ts';
export type { CopyIdentity } from './guest/protocol.ts';

/** Options of {@link onBeforeCheckpoint} and {@link onAfterRestore}. */
export interface GuestHookOptions {
  /** How long the hook may take, in milliseconds. Default: what is left of the time for all hooks. */
  readonly timeoutMs?: number;
}

/**
 * Registers a function that runs before the program is checkpointed, such as one that closes connections. These
 * hooks run in the reverse order of their registration, each after the one before has ended. A hook that throws,
 * rejects or takes too long aborts the checkpoint: then the hooks of {@link onAfterRestore} run, and the program
 * continues.
 *
 * In a program that was not started for a template, hooks never run.
 *
 * @returns a function that removes the hook
 * @throws TypeError if an argument is wrong
 */
export function onBeforeCheckpoint(
  hook: () => void | Promise<void>,
  options: GuestHookOptions = {},
): () => void {
  return theGuest()?.before.add(hook, options.timeoutMs) ?? doNothing;
}

/**
 * Registers a function that runs in each copy of the checkpointed program, before the host is told that the copy
 * runs, such as one that opens connections. These hooks run in the order of their registration, each after the one
 * before has ended. When the first one runs, the copy is unique already: see docs/copies-guest.md.
 *
 * They also run in the original if the checkpoint is aborted, with {@link RestoreEvent.aborted}, because the hooks
 * of {@link onBeforeCheckpoint} have to be undone then. If one throws, rejects or takes too long, the others run
 * nevertheless, and the host gets the error.
 *
 * @returns a function that removes the hook
 * @throws TypeError if an argument is wrong
 */
export function onAfterRestore(
  hook: (event: RestoreEvent) => void | Promise<void>,
  options: GuestHookOptions = {},
): () => void {
  return theGuest()?.after.add(hook, options.timeoutMs) ?? doNothing;
}

/**
 * Asks the host to checkpoint the program here, and keeps the program running until that is done.
 *
 * @returns in each copy, once its hooks have run, what is new in it; undefined at once in a program that was not
 * started for a template
 * @throws Error if the checkpoint is aborted; the program continues then
 */
export async function checkpoint(): Promise<RestoreEvent | undefined> {
  return await theGuest()?.checkpoint();
}

function doNothing(): void {}

theGuest();
