import type { Command } from 'commander';
import { CheckpointStore } from '../index.ts';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

const description =
  'Remove checkpoints from a store. One that another, incremental checkpoint needs is refused, and so is one that ' +
  'is being restored.';

const examples = `
  $ node-criu rm /var/lib/checkpoints web.20261129T194711417Z-c54cbf`;

/** Adds the verb `rm`. */
export function addRm(program: Command): void {
  const command = addHelp(program.command('rm'), examples)
    .summary('remove checkpoints from a store')
    .description(description)
    .argument('<directory>', 'the directory of the store')
    .argument('<id...>', 'the checkpoints, as node-criu list prints them');
  addJson(command).action(
    async (directory: string, ids: string[], { json = false }: { json?: boolean }) => {
      await withOutput({ json }, async (output) => {
        await using store = new CheckpointStore(directory);
        for (const id of ids) await store.remove(id);
        output.result({ removed: ids }, '');
      });
    },
  );
}
