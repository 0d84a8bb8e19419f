import { type Command, Option } from 'commander';
import type { PreCopyLimits } from '../index.ts';
import { defined } from './flags.ts';
import { bytes, count, DURATION, milliseconds } from './quantities.ts';

/** The flags of {@link addPreCopyFlags}. */
export interface PreCopyFlags {
  readonly maxDowntime?: number;
  readonly maxRounds?: number;
  readonly maxBytes?: number;
}

/**
 * Adds the flags for the limits of rounds.
 * @param heading the group of the flags in the help; by default they are in the first
 */
export function addPreCopyFlags(command: Command, heading?: string): Command {
  const downtime = new Option(
    `--max-downtime ${DURATION}`,
    'end the rounds when the expected downtime falls to this (default: 300ms)',
  ).argParser(milliseconds);
  const rounds = new Option(
    '--max-rounds <number>',
    'maximum number of rounds (default: 8)',
  ).argParser(count);
  const size = new Option(
    '--max-bytes <size>',
    'maximum of memory to copy in rounds, such as 512MiB',
  ).argParser(bytes);
  for (const option of [downtime, rounds, size]) {
    command.addOption(heading === undefined ? option : option.helpGroup(heading));
  }
  return command;
}

/** The flag for how rounds find memory that has changed. */
export function trackingFlag(): Option {
  return new Option(
    '--tracking <how>',
    'how to find memory that has changed: the kernel tracks it (soft-dirty), or it is compared with hashes ' +
      'of what was read before (compare) (default: soft-dirty if the kernel can)',
  );
}

/** The flags, as limits of the library, and the other options. */
export function preCopyLimits<O extends PreCopyFlags>(given: O) {
  const { maxDowntime, maxRounds, maxBytes, ...others } = given;
  const policy: PreCopyLimits = defined({ maxDowntimeMs: maxDowntime, maxRounds, maxBytes });
  return { policy, others };
}
