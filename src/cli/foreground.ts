import { constants } from 'node:os';
import { isatty } from 'node:tty';
import type { RestoredProcess } from '../index.ts';
import { readStatSync } from '../procfs/stat.ts';
import { JobControl } from './job-control.ts';

/** Signals that are passed on to a program in the foreground. */
const forwarded = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;

/** Signals that a terminal sends to all processes of its foreground group. */
const ofTerminal: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Waits until a program ends that is a child of this process, and passes signals on to it.
 * @returns its exit code, or 128 and the number of the signal that ended it, as a shell would say
 */
export async function awaitInForeground(program: RestoredProcess): Promise<number> {
  // In this process's group the program gets the terminal's signals itself.
  const isShared = readStatSync(program.pid)?.group === readStatSync('self')?.group;
  const forward = (signal: NodeJS.Signals) => {
    if (!(isShared && isatty(0) && ofTerminal.includes(signal))) program.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  // In this process's group the program also stops and continues with this process.
  using _ = isShared ? undefined : new JobControl(program);
  const { code, signal } = await program.exited;
  for (const each of forwarded) process.off(each, forward);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
