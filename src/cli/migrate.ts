import { type Command, InvalidArgumentError } from 'commander';
import {
  type CriuOpts,
  type DumpOptions,
  type MigrateOptions,
  type Migration,
  type MigrationPhase,
  migrate,
} from '../index.ts';
import { type AddressFlags, addAddressFlags, addressHelp, switchOverOptions } from './addresses.ts';
import { addCommon, addFlags, type Common, defined, optionsFrom } from './flags.ts';
import type { Reaction } from './interruption.ts';
import { addTrust, type TrustFlags, trustOf } from './migration.ts';
import { MigrationProgress } from './migration-progress.ts';
import { estimateMemory } from './processes.ts';
import {
  bytes,
  count,
  DURATION,
  formatBytes,
  formatDuration,
  hostAndPort,
  milliseconds,
  pid,
} from './quantities.ts';
import { withOutput } from './verb.ts';

const description = [
  'Move a process tree to a host where node-criu serve runs. The original ends only when the copy ' +
    'has all of its memory there; after any failure before the copy is let go it runs on.',
  'Without --mode it is what both kernels can do best. pre-copy copies memory while the processes ' +
    'run, and stops them only for the rest; post-copy lets them run there before their memory has ' +
    'come; hybrid is both; stop-and-copy works everywhere.',
  addressHelp,
].join('\n\n');

const examples = `
Examples:
  $ node-criu migrate 4711 192.0.2.2:7007 --ca ca.pem --cert source.pem --key source.key
  $ node-criu migrate 4711 192.0.2.2:7007 --mode pre-copy --max-downtime 100ms --tcp-established \\
      --switch-over 'ip addr del 192.0.2.9/32 dev eth0 &&
        ssh $NODE_CRIU_DESTINATION ip addr add 192.0.2.9/32 dev eth0' \\
      --switch-back 'ip addr add 192.0.2.9/32 dev eth0' \\
      --ca ca.pem --cert source.pem --key source.key --json`;

/** What the migration itself says of the dump. */
const decided: readonly (keyof CriuOpts)[] = [
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
  'tls',
];

interface Given extends Common, TrustFlags, AddressFlags, Partial<DumpOptions> {
  readonly mode?: MigrateOptions['mode'];
  readonly directory?: string;
  readonly rateLimit?: number;
  readonly maxDowntime?: number;
  readonly maxRounds?: number;
  readonly maxBytes?: number;
  readonly insecure?: true;
}

/** A switch-over ends after its migration knows of the deadline, or it would be the reason. */
const LATER_MS = 100;

type Place = ReturnType<typeof hostAndPort>;

/** Adds the verb `migrate`. */
export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .summary('move a process tree to another host')
    .description(description)
    .argument('<pid>', 'the root of the tree', pid)
    .argument('<host:port>', 'where node-criu serve listens', destination)
    .option(
      '-D, --directory <directory>',
      'where to keep images and journals (default: /var/lib/node-criu)',
    )
    .option('--mode <name>', 'stop-and-copy, pre-copy, post-copy or hybrid')
    .option('--rate-limit <size>', 'copy at most so much a second, as 100MiB', bytes)
    .option(
      `--max-downtime ${DURATION}`,
      'end the rounds when it is down to this (default: 300ms)',
      milliseconds,
    )
    .option('--max-rounds <number>', 'make at most so many rounds (default: 8)', count)
    .option('--max-bytes <size>', 'copy at most so much before the end, as 512MiB', bytes)
    .showHelpAfterError('Try: node-criu migrate --help')
    .addHelpText('after', examples);
  addFlags(addTrust(addAddressFlags(addCommon(command))), ['dump'], { except: decided }).action(
    (root: number, to: Place, given: Given) => move(root, to, given),
  );
}

function destination(text: string): Place {
  const place = hostAndPort(text);
  if (place.port === 0) throw new InvalidArgumentError('Its port is the one that serve has told.');
  return place;
}

async function move(root: number, to: Place, given: Given): Promise<void> {
  const options = optionsOf(given, to.host);
  await withOutput(given.json === true, async (output, signal, interruption) => {
    const progress = new MigrationProgress(output, estimateMemory(root));
    const own = () => migration;
    const ending = withDeadline(signal, options.deadlineMs);
    const moves = switchOverOptions(given, {
      output,
      migration: own,
      host: to.host,
      signal: ending,
    });
    const phase = (begun: MigrationPhase) => {
      if (begun === 'hand-over')
        interruption.react(onceLetGo(to.host, resolveLine(migration, given)));
    };
    const all = { to, ...options, ...moves, signal, hooks: { phase } };
    const migration: Migration = migrate(root, all);
    for await (const event of migration) progress.report(event);
    const result = await migration.result.catch((error) => {
      if (error.code === 'ERR_CRIU_MIGRATION_UNRESOLVED') {
        output.log(
          `node-criu: find out who has the processes by: ${resolveLine(migration, given)}`,
        );
      }
      throw error;
    });
    const [size, down] = [formatBytes(result.bytes), formatDuration(result.downtimeMs)];
    const text = `process ${result.pid} runs on ${to.host}: ${result.mode}, ${size}, down for ${down}`;
    output.result(result, text);
  });
}

/** Nothing calls it off once the copy is let go; to end criu would take its memory from it. */
function onceLetGo(host: string, resolveIt: string): readonly Reaction[] {
  return [
    { message: `the copy runs on ${host} already: waiting until it has all of its memory` },
    {
      message:
        'again to end at once: a copy that lacks memory then loses what it has done, and the ' +
        `original is stopped until: ${resolveIt}`,
    },
  ];
}

/** The command that finishes a migration for which there is nobody any more. */
function resolveLine({ id }: Migration, { directory, insecure, ca, cert, key }: Given): string {
  const trust = insecure ? ['--insecure'] : [`--ca ${ca} --cert ${cert} --key ${key}`];
  const where = directory === undefined ? [] : [`-D ${directory}`];
  return ['node-criu resolve', id, ...where, ...trust].join(' ');
}

/** What was given, under the library's names. */
function optionsOf(given: Given, host: string): Omit<MigrateOptions, 'to'> {
  const { client, limits, own } = optionsFrom(given);
  const { ca, cert, key, insecure, switchOver, switchBack, ...others } = own;
  const { mode, directory, rateLimit, maxDowntime, maxRounds, maxBytes, ...dump } = others;
  const { deadlineMs, gracePeriodMs } = limits;
  return {
    ...{ ...trustOf(given, host), ...client },
    ...defined({ mode, directory, rateLimit, deadlineMs }),
    policy: defined({ maxDowntimeMs: maxDowntime, maxRounds, maxBytes }),
    dump: { ...dump, ...defined({ gracePeriodMs }) },
  };
}

/** By hand: one of AbortSignal.any and AbortSignal.timeout may be collected before it aborts. */
function withDeadline(signal: AbortSignal, deadlineMs: number | undefined): AbortSignal {
  if (deadlineMs === undefined) return signal;
  const either = new AbortController();
  const stop = () => either.abort();
  signal.addEventListener('abort', stop);
  setTimeout(stop, deadlineMs + LATER_MS).unref();
  return either.signal;
}
