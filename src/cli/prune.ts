import type { Command } from 'commander';
import { CheckpointStore, type PruneOptions } from '../index.ts';
import { addJson, defined } from './flags.ts';
import { addHelp } from './help.ts';
import { summaryOf, tableOf } from './list.ts';
import { bytes, count, DURATION, formatBytes, milliseconds } from './quantities.ts';
import { withOutput } from './verb.ts';

interface PruneFlags extends PruneOptions {
  readonly json?: boolean;
}

const description = [
  'Remove the checkpoints of a store that no rule keeps. Give at least one of --keep-last, --keep-within and ' +
    '--max-bytes. The newest checkpoint of each name stays in any case, and so do those that a kept incremental ' +
    'checkpoint needs, and those that are being restored.',
].join('\n\n');

const examples = `
  $ node-criu prune /var/lib/checkpoints --keep-last 3
  $ node-criu prune /var/lib/checkpoints --keep-within 7d --max-bytes 10GiB --dry-run`;

/** Adds the verb `prune`. */
export function addPrune(program: Command): void {
  const command = addHelp(program.command('prune'), examples)
    .summary('remove old checkpoints from a store')
    .description(description)
    .argument('<directory>', 'the directory of the store')
    .option('--keep-last <n>', 'keep so many of the newest checkpoints of each name', count)
    .option(`--keep-within ${DURATION}`, 'keep checkpoints younger than this', milliseconds)
    .option('--max-bytes <size>', 'remove the oldest until the rest takes no more', bytes)
    .option('--name <name>', 'only checkpoints with this name')
    .option('--dry-run', 'only print what would be removed');
  addJson(command).action(prune);
}

async function prune(directory: string, flags: PruneFlags): Promise<void> {
  const { json = false, ...options } = flags;
  await withOutput({ json }, async (output) => {
    await using store = new CheckpointStore(directory);
    const removed = await store.prune(defined(options) as PruneOptions);
    const size = removed.reduce((sum, each) => sum + each.bytes, 0);
    output.result({ removed: removed.map(summaryOf) }, removed.length > 0 ? tableOf(removed) : '');
    const done = options.dryRun ? 'would be removed' : 'removed';
    output.hint(`${removed.length} checkpoints ${done}, ${formatBytes(size)}`);
  });
}
