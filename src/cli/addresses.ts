import type { Command } from 'commander';
import type { MigrateOptions } from '../index.ts';
import type { Output } from './output.ts';
import { runShellCommand } from './shell-command.ts';

/** The flags of {@link addAddressFlags}. */
export interface AddressFlags {
  readonly address?: readonly AddressFlag[];
  readonly switchOver?: string;
  readonly switchBack?: string;
}

/** A paragraph of the help about these flags. */
export const addressHelp =
  "To keep connections open, give --tcp-established, and --address with the service's address, which " +
  'moves with the processes if serve on the other host has --allow-address (both may be repeated). If ' +
  'the address has to move by other means, give a --switch-over command that moves it, and --switch-back, which undoes that. ' +
  'sh runs both while neither copy runs, with NODE_CRIU_ID, NODE_CRIU_PID and NODE_CRIU_DESTINATION ' +
  '(the host) in the environment. If --switch-over fails, the original continues.';

/** An address or a range on the command line. */
export type AddressFlag = { readonly address: string; readonly device?: string };

/** Parses and collects `ADDRESS/PREFIX` or `ADDRESS/PREFIX@DEVICE`; the library checks the address. */
export function collectAddress(text: string, previous: readonly AddressFlag[] = []): AddressFlag[] {
  const [address = '', device] = text.split('@');
  return [...previous, { address, ...(device !== undefined && { device }) }];
}

/** Adds the flags for commands that move an address. */
export function addAddressFlags(command: Command): Command {
  return command
    .option(
      '--address <address>',
      'address that moves along: 192.0.2.9/32[@DEVICE]',
      collectAddress,
    )
    .option(
      '--switch-over <command>',
      'command that moves the address to the other host, after the restore',
    )
    .option(
      '--switch-back <command>',
      'command that moves it back, if the migration fails after that',
    );
}

interface CommandContext {
  readonly output: Output;
  /** Called when a command starts, for its environment. */
  readonly migration: () => { readonly id: string; readonly pid: number };
  readonly host: string;
}

/** The library's hooks that run the commands. */
export function switchOverOptions(
  { switchOver, switchBack }: AddressFlags,
  { output, migration, host }: CommandContext,
): Pick<MigrateOptions, 'switchOver' | 'switchBack'> {
  const run = (flag: string, line: string, stop?: AbortSignal) => {
    const { id, pid } = migration();
    return runShellCommand({
      flag,
      line,
      environment: {
        NODE_CRIU_ID: id,
        NODE_CRIU_PID: String(pid),
        NODE_CRIU_DESTINATION: host,
      },
      onLine: (text) => output.log(text),
      ...(stop && { signal: stop }),
    });
  };
  return {
    // Once the migration has failed or was cancelled, its signal ends the command.
    ...(switchOver !== undefined && {
      switchOver: (signal) => run('--switch-over', switchOver, signal),
    }),
    // Has no signal, because it must run after a cancellation too.
    ...(switchBack !== undefined && { switchBack: () => run('--switch-back', switchBack) }),
  };
}
