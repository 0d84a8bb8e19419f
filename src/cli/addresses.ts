import type { Command } from 'commander';
import type { MigrateOptions } from '../index.ts';
import type { Output } from './output.ts';
import { runShellCommand } from './shell-command.ts';

/** What {@link addAddresses} adds. */
export interface AddressFlags {
  readonly switchOver?: string;
  readonly switchBack?: string;
}

/** What {@link addAddresses} is to be explained by. */
export const aboutAddresses =
  'Nothing moves an address by itself: for connections to stay open, give --tcp-established, and a ' +
  "--switch-over that takes the service's address off this host and puts it on the other; " +
  '--switch-back undoes that. Both are run by sh, with NODE_CRIU_ID, NODE_CRIU_PID and ' +
  'NODE_CRIU_DESTINATION (the host) in their environment, while neither copy runs. If --switch-over ' +
  'fails, the original runs on.';

/** Adds the flags that move addresses. */
export function addAddresses(command: Command): Command {
  return command
    .option('--switch-over <command>', 'move the address there, once the copy is restored')
    .option('--switch-back <command>', 'move it back, if the migration fails after that');
}

/** What the commands work with. */
interface Surroundings {
  readonly output: Output;
  /** Is told in their environment, once they are called. */
  readonly migration: () => { readonly id: string; readonly pid: number };
  readonly host: string;
  /** Ends the switch-over. */
  readonly signal: AbortSignal;
}

/** The same for the library. */
export function addressMovesOf(
  { switchOver, switchBack }: AddressFlags,
  { output, migration, host, signal }: Surroundings,
): Pick<MigrateOptions, 'switchOver' | 'switchBack'> {
  const run = (flag: string, line: string, stop?: AbortSignal) => {
    const { id, pid } = migration();
    const facts = { NODE_CRIU_ID: id, NODE_CRIU_PID: String(pid), NODE_CRIU_DESTINATION: host };
    const told = (text: string) => output.say(text);
    return runShellCommand({
      ...{ flag, line, told, environment: facts },
      ...(stop && { signal: stop }),
    });
  };
  return {
    ...(switchOver !== undefined && { switchOver: () => run('--switch-over', switchOver, signal) }),
    // Nothing cancels this one: a cancelled migration is what it is for.
    ...(switchBack !== undefined && { switchBack: () => run('--switch-back', switchBack) }),
  };
}
