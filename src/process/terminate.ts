import { within } from '../concurrency/deadline.ts';

const SIGTERM = 15;
/** The number of the signal, for calls that take no name. */
export const SIGKILL = 9;

/** How long a process may take to end after SIGTERM, in milliseconds. */
export const TERMINATION_MS = 5000;

/**
 * Ends a process with SIGTERM, and with SIGKILL if it has not ended after 5 seconds, as when it is
 * stopped. Resolves when the process has ended.
 */
export async function terminate(
  signal: (number: number) => void,
  exited: Promise<unknown>,
): Promise<void> {
  signal(SIGTERM);
  const ended = exited.then(() => true);
  if (!(await within(TERMINATION_MS, ended, false))) signal(SIGKILL);
  await exited;
}
