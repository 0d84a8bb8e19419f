import type { Command } from 'commander';
import { Criu } from '../index.ts';
import { defined, optionsFrom } from './flags.ts';
import { addHelp } from './help.ts';
import { estimateMemory } from './memory-estimate.ts';
import { addMigrateFlags, type Endpoint, follow, type MigrateFlags } from './migrate.ts';
import type { OptionName } from './option-names.ts';

const description = [
  'Move a container of runc to a host that runs node-criu serve with --containers, as node-criu migrate moves a process ' +
    'tree. When the copy runs, runc on that host knows the container, and runc here no longer does.',
  'Its root file system must be there as well; --rootfs-difference sends what it has changed in its overlayfs. The devices, ' +
    'addresses and routes of its own network go with it.',
].join('\n\n');

export const migrateExamples = `
  $ node-criu container migrate web 192.0.2.2:7007 --tcp-established \\
      --ca ca.pem --cert source.pem --key source.key`;

interface ContainerFlags extends MigrateFlags {
  readonly stateRoot?: string;
  readonly runtime?: string;
  readonly rootfsDifference?: true;
}

/**
 * Adds the verb `container migrate`.
 * @param except options of the dump that a container sets
 */
export function addContainerMigrate(container: Command, except: readonly OptionName[]): Command {
  const command = addHelp(container.command('migrate'), migrateExamples)
    .summary('move a container to another host')
    .description(description)
    .argument('<id>', 'the id of the container, or the beginning of it');
  return addMigrateFlags(command, except)
    .option('--rootfs-difference', 'send what the container has changed in its root file system')
    .action(async (id: string, to: Endpoint, given: ContainerFlags) => {
      const { stateRoot: root, runtime, rootfsDifference, ...migrate } = given;
      const { openContainer } = await import('../containers.ts');
      await using criu = new Criu(optionsFrom(given).client);
      const container = await openContainer(criu, id, defined({ root, runtime }));
      const rootfs = rootfsDifference ? 'difference' : 'shared';
      await follow(to, migrate, estimateMemory(container.pid), async (options) => {
        return await container.migrate({ ...options, rootfs });
      });
    });
}
