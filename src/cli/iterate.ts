import { type Command, Option } from 'commander';
import { type IterateOptions, preCopy, type RoundReason } from '../index.ts';
import { addCommon, addFlags, addQuiet, type Common, NEGATION_HELP } from './flags.ts';
import { addHelp, RARE } from './help.ts';
import { reportOccupied } from './occupied-pids.ts';
import type { OptionName } from './option-names.ts';
import {
  addPreCopyFlags,
  type PreCopyFlags,
  preCopyLimits,
  trackingFlag,
} from './precopy-flags.ts';
import { bytes, formatDump, pid } from './quantities.ts';
import { withCriu } from './verb.ts';

const description = [
  'Dump a process tree with a short freeze: copy its memory in rounds while it runs, then freeze it and ' +
    'dump what has changed since.',
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
  'keepFailed',
  'tls',
];

type IterateFlags = Common & PreCopyFlags & IterateOptions;

/** Adds the verb `iterate`. */
export function addIterate(program: Command): void {
  const command = addHelp(program.command('iterate'), examples)
    .summary('dump a process tree with a short freeze, after rounds')
    .description(description)
    .argument('<pid>', 'the root of the process tree', pid);
  addFlags(command, ['dump'], { required: ['imagesDirectory'], except: excluded });
  const compareWith = new Option(
    '--compare-with <what>',
    'what to keep of the memory to compare it: hashes, or a copy, which is faster and as large as the memory ' +
      '(default: hashes)',
  );
  const rateLimit = new Option(
    '--rate-limit <size>',
    'without soft-dirty tracking, limit of the memory read per second in rounds, such as 100MiB',
  ).argParser(bytes);
  const lowPriority = new Option(
    '--low-priority',
    'without soft-dirty tracking, read memory in rounds with the lowest priority',
  );
  command.addOption(trackingFlag());
  for (const option of [compareWith, rateLimit, lowPriority]) {
    command.addOption(option.helpGroup(RARE));
  }
  addPreCopyFlags(addQuiet(addCommon(command))).action(iterate);
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
    const { policy, others: dump } = preCopyLimits(options);
    await using iteration = await criu.iterate(root, { ...dump, ...limits });
    const rounds = preCopy(iteration, policy);
    for await (const { index, directory, stats, durationMs } of rounds) {
      output.step(
        { step: 'round', index, directory, stats, durationMs },
        `round ${index}: ${formatDump(stats)}`,
      );
    }
    const reason = rounds.decision?.reason;
    if (reason) output.step({ step: 'dump', reason }, `dumping: ${reasons[reason] ?? reason}`);
    const result = await iteration.dump();
    const text = `${result.directory}: process ${root}, ${formatDump(result.stats)}`;
    output.result({ pid: root, ...result }, text);
    reportOccupied(output, result.occupiedPids);
  });
}
