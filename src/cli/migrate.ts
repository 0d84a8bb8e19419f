import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type DumpOptions,
  type MigrateOptions,
  type MigrationEvent,
  type MigrationPhase,
  type MigrationResult,
  migrate,
} from '../index.ts';
import { type AddressFlags, addAddressFlags, addressHelp, switchOverOptions } from './addresses.ts';
import {
  addCommon,
  addFlags,
  addLogFormat,
  addQuiet,
  type Common,
  defined,
  optionsFrom,
} from './flags.ts';
import { addHelp, RARE } from './help.ts';
import type { Reaction } from './interruption.ts';
import type { LogFormat } from './log-record.ts';
import { estimateMemory } from './memory-estimate.ts';
import { MigrationProgress } from './migration-progress.ts';
import type { OptionName } from './option-names.ts';
import {
  addPreCopyFlags,
  type PreCopyFlags,
  preCopyLimits,
  trackingFlag,
} from './precopy-flags.ts';
import {
  bytes,
  formatBytes,
  formatDuration,
  formatEndpoint,
  hostAndPort,
  pid,
} from './quantities.ts';
import { quoted } from './shell-command.ts';
import { addTrustFlags, type TrustFlags, trustFrom } from './trust.ts';
import { withOutput } from './verb.ts';

const description = [
  'Move a process tree to a host that runs node-criu serve. The original ends only after the copy has ' +
    'all of its memory; after a failure before the copy starts, the original continues.',
  'By default the mode is pre-copy if this kernel tracks changed memory or has userfaultfd, otherwise ' +
    'stop-and-copy. pre-copy copies memory while the processes run, and stops them only for the rest; post-copy ' +
    'starts the copy before its memory has arrived; hybrid does both; stop-and-copy works everywhere.',
  addressHelp,
].join('\n\n');

const examples = `
  $ node-criu migrate 4711 192.0.2.2:7007 --tcp-established --address 192.0.2.9/32 \\
      --ca ca.pem --cert source.pem --key source.key
  $ node-criu migrate 4711 192.0.2.2:7007 --tcp-established \\
      --switch-over './move-address.sh 192.0.2.9 $NODE_CRIU_DESTINATION' \\
      --switch-back './move-address.sh 192.0.2.9 192.0.2.1' \\
      --ca ca.pem --cert source.pem --key source.key`;

/** The options of the dump that the migration sets. */
export const setByMigration: readonly OptionName[] = [
  'imagesDirectory',
  'workDirectory',
  'pageServer',
  'parentImage',
  'lazyPages',
  'statusFd',
  'stream',
  'trackMem',
  'leaveRunning',
  'leaveStopped',
  'overwrite',
  'durable',
  'keepFailed',
  'manifest',
  'tls',
];

/** The flags of verbs that migrate. */
export interface MigrateFlags
  extends Common,
    TrustFlags,
    AddressFlags,
    PreCopyFlags,
    Partial<DumpOptions> {
  readonly mode?: MigrateOptions['mode'];
  readonly directory?: string;
  readonly lazyRestore: boolean;
  readonly tracking?: MigrateOptions['tracking'];
  readonly rateLimit?: number;
  readonly rateLimitFrozen?: true;
  readonly insecure?: true;
  readonly logFormat?: LogFormat;
}

/** Where a destination listens. */
export type Endpoint = ReturnType<typeof hostAndPort>;

/** A migration that a command follows. */
interface Followed extends AsyncIterable<MigrationEvent> {
  readonly id: string;
  readonly pid: number;
  readonly result: Promise<MigrationResult>;
}

/** Adds the verb `migrate`. */
export function addMigrate(program: Command): void {
  const command = addHelp(program.command('migrate'), examples)
    .summary('move a process tree to another host')
    .description(description)
    .argument('<pid>', 'the root of the process tree', pid);
  addMigrateFlags(command).action(
    async (root: number, to: Endpoint, given: MigrateFlags) => await move(root, to, given),
  );
}

/**
 * Adds the destination and the flags of verbs that migrate.
 * @param except options of the dump that get no flag
 */
export function addMigrateFlags(command: Command, except: readonly OptionName[] = []): Command {
  const lazyRestore = new Option(
    '--no-lazy-restore',
    'with stop-and-copy and pre-copy, let the copy run only when it has read all of its memory: the pause ' +
      'is longer, and the copy then needs nothing but its host',
  );
  const rateLimitFrozen = new Option(
    '--rate-limit-frozen',
    'keep to --rate-limit while the processes are frozen, too',
  );
  command
    .argument('<host:port>', 'where node-criu serve listens', destination)
    .option(
      '-D, --directory <dir>',
      'directory of images and journals (default: /var/lib/node-criu)',
    )
    .option('--mode <name>', 'stop-and-copy, pre-copy, post-copy or hybrid')
    .addOption(lazyRestore.helpGroup(RARE))
    .option('--rate-limit <size>', 'bandwidth limit per second, such as 100MiB', bytes)
    .addOption(rateLimitFrozen.helpGroup(RARE))
    .addOption(trackingFlag().helpGroup(RARE));
  addPreCopyFlags(command, RARE);
  const common = addTrustFlags(addAddressFlags(addLogFormat(addQuiet(addCommon(command)))));
  return addFlags(common, ['dump'], {
    except: [...setByMigration, ...except],
    common: ['tcpEstablished', 'fileLocks'],
  });
}

function destination(text: string): Endpoint {
  const endpoint = hostAndPort(text);
  if (endpoint.port === 0) throw new InvalidArgumentError('Give the port that serve printed.');
  return endpoint;
}

async function move(root: number, to: Endpoint, given: MigrateFlags): Promise<void> {
  const { client } = optionsFrom(given);
  await follow(to, given, estimateMemory(root), (options) =>
    migrate(root, { ...options, ...client }),
  );
}

/**
 * Begins a migration, and reports it until its end.
 * @param expectedBytes an estimate of all of the memory
 */
export async function follow(
  to: Endpoint,
  given: MigrateFlags,
  expectedBytes: number,
  begin: (options: MigrateOptions) => Followed | Promise<Followed>,
): Promise<void> {
  const options = optionsOf(given, to.host);
  await withOutput(given, async (output, signal, interruption) => {
    const progress = new MigrationProgress(output, expectedBytes);
    let migration: Followed | undefined;
    const begun = () => migration as Followed;
    const moves = switchOverOptions(given, { output, migration: begun, host: to.host });
    const phase = (phase: MigrationPhase) => {
      if (phase === 'hand-over')
        interruption.react(reactionsAfterHandOver(to.host, resolveLine(begun(), given)));
    };
    migration = await begin({ to, ...options, ...moves, signal, hooks: { phase } });
    output.about({ id: migration.id, peer: formatEndpoint(to) });
    for await (const event of migration) progress.report(event);
    const result = await migration.result.catch((error) => {
      if (error.code === 'ERR_CRIU_MIGRATION_UNRESOLVED') {
        output.log(
          `node-criu: to learn which host has the processes, run: ${resolveLine(begun(), given)}`,
        );
      }
      throw error;
    });
    const [size, down] = [formatBytes(result.bytes), formatDuration(result.downtimeMs)];
    const text = `process ${result.pid} runs on ${to.host}: ${result.mode}, ${size}, down for ${down}`;
    output.result(result, text);
  });
}

/** Once the copy runs, nothing can cancel the migration: to end criu would end the copy's memory. */
function reactionsAfterHandOver(host: string, resolveCommand: string): readonly Reaction[] {
  return [
    { message: `the copy runs on ${host} already; waiting until it has all of its memory` },
    {
      message:
        'press Ctrl-C again to exit at once: a copy that lacks memory then loses its work, and the ' +
        `original stays stopped until you run: ${resolveCommand}`,
    },
  ];
}

/** The command that finishes the migration after this command has ended. */
function resolveLine(
  { id }: Pick<Followed, 'id'>,
  { directory, insecure, ca, cert, key, switchBack }: MigrateFlags,
): string {
  const trust = insecure ? ['--insecure'] : [`--ca ${ca} --cert ${cert} --key ${key}`];
  const where = directory === undefined ? [] : [`-D ${directory}`];
  const back = switchBack === undefined ? [] : [`--switch-back ${quoted(switchBack)}`];
  return ['node-criu resolve', id, ...where, ...trust, ...back].join(' ');
}

/** The flags, as options of the library. */
function optionsOf(given: MigrateFlags, host: string): Omit<MigrateOptions, 'to'> {
  const { limits, options } = optionsFrom(given);
  const { ca, cert, key, insecure, switchOver, switchBack, logFormat: _, ...others } = options;
  const { address: addresses, mode, lazyRestore, directory, ...rest } = others;
  const { tracking, rateLimit, rateLimitFrozen, ...more } = rest;
  const { policy, others: dump } = preCopyLimits(more);
  const { deadlineMs, gracePeriodMs } = limits;
  return {
    ...trustFrom(given, host),
    ...defined({ addresses, mode, directory, deadlineMs }),
    ...(!lazyRestore && { lazyRestore }),
    ...defined({ tracking, rateLimit, rateLimitFrozen }),
    policy,
    dump: { ...dump, ...defined({ gracePeriodMs }) },
  };
}
