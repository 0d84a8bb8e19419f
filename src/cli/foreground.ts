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
 * Waits until a program ends that is a child of this process, and passes signals on to it. It stops and continues
 * with this process.
 * @returns its exit code, or 128 and the number of the signal that ended it, as a shell would say
 */
export async function awaitInForeground(program: RestoredProcess): Promise<number> {
  // In this process's group the program gets the terminal's signals itself.
  const isShared = readStatSync(program.pid)?.group === readStatSync('self')?.group;
  // In this process's group the program also stops and continues with this process.
  using _ = isShared ? undefined : new JobControl(program);
  return await awaitEnd(program, isShared && isatty(0) ? ofTerminal : []);
}

/**
 * Waits until a program ends, and passes signals on to it.
 * @param except signals that it gets anyway
 * @returns as {@link awaitInForeground}
 */
export async function awaitEnd(
  program: Pick<RestoredProcess, 'kill' | 'exited'>,
  except: readonly NodeJS.Signals[] = [],
): Promise<number> {
  const forward = (signal: NodeJS.Signals) => {
    if (!except.includes(signal)) program.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  const { code, signal } = await program.exited;
  for (const each of forwarded) process.off(each, forward);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
