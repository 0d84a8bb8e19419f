import type { Command } from 'commander';
import { type IterateOptions, type PreCopyLimits, preCopy, type RoundReason } from '../index.ts';
import { addCommon, addFlags, addQuiet, type Common, defined, NEGATION_HELP } from './flags.ts';
import { addHelp } from './help.ts';
import { reportOccupied } from './occupied-pids.ts';
import type { OptionName } from './option-names.ts';
import {
  bytes,
  count,
  DURATION,
  formatBytes,
  formatDuration,
  milliseconds,
  pid,
} from './quantities.ts';
import { withCriu } from './verb.ts';

const description = [
  'Dump a process tree with a short freeze: copy its memory in rounds while it runs, then freeze it and ' +
    'dump what has changed since. The kernel must track changed memory: see node-criu check.',
  'The rounds and the dump get the directories 0, 1, … in the images directory. Each needs those before ' +
    'it; a restore takes the last one, which the command prints. The rounds end when the expected ' +
    'downtime is short enough, or when another round would not shorten it.',
  'The dump ends the processes unless you give --leave-running. If it fails or is cancelled, they continue.',
  NEGATION_HELP,
].join('\n\n');

const examples = `
  $ node-criu iterate 4711 -D images
  $ node-criu iterate 4711 -D images --max-downtime 100ms --max-rounds 5 --tcp-established
  $ node-criu restore -D images/3`;

/** Options that the rounds set, or that need a program on the other side. */
const excluded: readonly OptionName[] = [
  'parentImage',
  'trackMem',
  'pageServer',
  'lazyPages',
  'statusFd',
  'stream',
  'overwrite',
  'durable',
  'keepFailed',
  'tls',
];

interface IterateFlags extends Common, IterateOptions {
  readonly maxDowntime?: number;
  readonly maxRounds?: number;
  readonly maxBytes?: number;
}

/** Adds the verb `iterate`. */
export function addIterate(program: Command): void {
  const command = addHelp(program.command('iterate'), examples)
    .summary('dump a process tree with a short freeze, after rounds of copying')
    .description(description)
    .argument('<pid>', 'the root of the process tree', pid);
  addQuiet(
    addCommon(addFlags(command, ['dump'], { required: ['imagesDirectory'], except: excluded })),
  )
    .option(
      `--max-downtime ${DURATION}`,
      'end the rounds when the expected downtime falls to this (default: 300ms)',
      milliseconds,
    )
    .option('--max-rounds <number>', 'maximum number of rounds (default: 8)', count)
    .option('--max-bytes <size>', 'maximum of memory to copy in rounds, such as 512MiB', bytes)
    .action(iterate);
}

/** Why the rounds ended. */
const reasons: Readonly<Partial<Record<RoundReason, string>>> = {
  downtime: 'the expected downtime is short enough',
  'no-gain': 'another round would not shorten the downtime',
  rounds: 'this is the maximum of rounds',
  bytes: 'another round could exceed the maximum of memory',
};

async function iterate(root: number, given: IterateFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const { maxDowntime, maxRounds, maxBytes, ...dump } = options;
    const policy: PreCopyLimits = defined({ maxDowntimeMs: maxDowntime, maxRounds, maxBytes });
    await using iteration = await criu.iterate(root, { ...dump, ...limits });
    const rounds = preCopy(iteration, policy);
    for await (const { index, directory, stats, durationMs } of rounds) {
      const { bytesWritten, frozenTimeMs } = stats;
      const text = `${formatBytes(bytesWritten)}, frozen for ${formatDuration(frozenTimeMs)}`;
      output.step(
        { step: 'round', index, directory, stats, durationMs },
        `round ${index}: ${text}`,
      );
    }
    const reason = rounds.decision?.reason;
    if (reason) output.step({ step: 'dump', reason }, `dumping: ${reasons[reason] ?? reason}`);
    const result = await iteration.dump();
    const size = formatBytes(result.stats.bytesWritten);
    const frozen = formatDuration(result.stats.frozenTimeMs);
    const text = `${result.directory}: process ${root}, ${size}, frozen for ${frozen}`;
    output.result({ pid: root, ...result }, text);
    reportOccupied(output, result.occupiedPids);
  });
}
