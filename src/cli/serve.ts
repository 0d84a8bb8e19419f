import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { ContainerDestination } from '../containers.ts';
import {
  CriuError,
  type MigrationServerHooks,
  type RestoreOptions,
  serveMigrations,
} from '../index.ts';
import { type AddressFlag, collectAddress } from './addresses.ts';
import {
  addContainerPlace,
  type ContainerPlaceFlags,
  checkContainerPlace,
} from './container-place.ts';
import { addCriu, addFlags, addJson, addLogFormat, addQuiet, defined } from './flags.ts';
import { addHelp, RARE } from './help.ts';
import { CopyStates, offerFilter, reportRefusal } from './incoming.ts';
import type { LogFormat } from './log-record.ts';
import type { OptionName } from './option-names.ts';
import { eachText } from './pairs.ts';
import { bytes, count, formatEndpoint, hostAndPort, localAddress, port } from './quantities.ts';
import { addTrustFlags, type TrustFlags, trustFrom } from './trust.ts';
import { withOutput } from './verb.ts';

const description = [
  'Accept process trees from node-criu migrate on other hosts, and restore them here, until Ctrl-C ' +
    'or SIGTERM ends the command with exit code 0. Restored processes keep running; those that do not ' +
    'run here yet continue on the host that they come from.',
  'Standard error reports each offer and each state of a migration. If the command dies, start it ' +
    'again with the same directory: it first cleans up what was left.',
  'Every host with a certificate of the authority can start processes here that run as root. Issue ' +
    'certificates to your own hosts only, or list the hosts with --authorize.',
].join('\n\n');

const examples = `
  $ node-criu serve 192.0.2.2:7007 -D /var/lib/node-criu \\
      --ca ca.pem --cert target.pem --key target.key
  listening on 192.0.2.2:7007

  $ node-criu serve 192.0.2.2:7007 -D /var/lib/node-criu --page-port 7008 --authorize source \\
      --ca ca.pem --cert target.pem --key target.key
  $ node-criu serve 127.0.0.1:0 -D /var/lib/node-criu --insecure --json`;

/** The options of a restore that the migration sets. */
export const setByRestore: readonly OptionName[] = [
  'imagesDirectory',
  'workDirectory',
  'lazyPages',
  'stream',
];

interface ServeFlags extends TrustFlags, ContainerPlaceFlags, Partial<RestoreOptions> {
  readonly directory: string;
  readonly pagePort?: number;
  readonly authorize?: readonly string[];
  readonly allowAddress?: readonly AddressFlag[];
  readonly metrics?: Endpoint;
  readonly maxMigrations?: number;
  readonly maxBandwidth?: number;
  readonly maxStored?: number;
  readonly criu?: string;
  readonly json?: boolean;
  readonly logFormat?: LogFormat;
  readonly quiet?: boolean;
}

type Endpoint = ReturnType<typeof hostAndPort>;

/** Adds the verb `serve`. */
export function addServe(program: Command): void {
  const command = addHelp(program.command('serve'), examples)
    .summary('accept process trees from other hosts, and restore them')
    .description(description)
    .argument('<host:port>', 'where to listen; port 0 stands for any free port', hostAndPort)
    .requiredOption('-D, --directory <dir>', 'directory of images and journals')
    .option(
      '--page-port <port>',
      'port that receives memory, on the same host (default: any free port)',
      port,
    )
    .option(
      '--authorize <name>',
      'accept only hosts with this name in their certificate (may be repeated)',
      eachText,
    )
    .option(
      '--allow-address <range>',
      'take addresses of this range: 192.0.2.0/24[@DEVICE] (may be repeated)',
      collectAddress,
    )
    .option(
      '--metrics <address:port>',
      'answer /metrics (Prometheus), /healthz and /readyz over HTTP; a port alone stands for 127.0.0.1',
      localAddress,
    )
    .addOption(
      new Option(
        '--max-migrations <number>',
        'refuse more migrations at once, as busy (default: 64)',
      )
        .argParser(count)
        .helpGroup(RARE),
    )
    .addOption(
      new Option(
        '--max-bandwidth <size>',
        'receive at most this much per second in total, such as 500MiB (default: no limit)',
      )
        .argParser(bytes)
        .helpGroup(RARE),
    )
    .addOption(
      new Option(
        '--max-stored <size>',
        'keep at most so much of the memory of incoming migrations on disk, such as 64GiB (default: no limit)',
      )
        .argParser(bytes)
        .helpGroup(RARE),
    );
  addContainerPlace(
    command,
    'accept containers, and only those; DIRECTORY/ID is the bundle of the container ID',
  );
  addFlags(addTrustFlags(addCriu(addLogFormat(addQuiet(addJson(command))))), ['restore'], {
    except: setByRestore,
    common: ['tcpEstablished', 'fileLocks'],
  }).action((listen: Endpoint, given: ServeFlags) => serve(listen, given));
}

async function serve(endpoint: Endpoint, given: ServeFlags): Promise<void> {
  const {
    ca,
    cert,
    key,
    insecure,
    json = false,
    quiet = false,
    logFormat = 'text',
    directory,
    criu,
    ...others
  } = given;
  const { pagePort, authorize, allowAddress: allowAddresses, ...limited } = others;
  const { metrics, maxMigrations, maxBandwidth, maxStored, ...rest } = limited;
  const { containers, containerLink: _link, stateRoot: _root, ...restore } = rest;
  checkContainerPlace(given);
  const trust = trustFrom(given, endpoint.host);
  if (authorize && insecure) {
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', '--authorize needs certificates');
  }
  await withOutput({ json, quiet, logFormat }, async (output, signal, interruption) => {
    const patience = new AbortController();
    interruption.react([
      {
        message: 'closing; processes that do not run here yet continue on the host they come from',
        action: (by) => interruption.cancel(by),
      },
      {
        message: 'closing at once, which loses copies that lack memory; press Ctrl-C again to exit',
        action: () => patience.abort(),
      },
    ]);
    const ended = once(signal, 'abort');
    const states = new CopyStates(output);
    const hooks: MigrationServerHooks = {
      changed: (migration) => states.report(migration),
      refused: (refusal) => reportRefusal(output, refusal),
    };
    await using server = await serveMigrations({
      ...{ ...trust, directory, restore },
      listen: { ...endpoint, ...defined({ pagePort }) },
      ...defined({ path: criu, allowAddresses, metrics, maxMigrations, maxBandwidth }),
      ...defined({ maxStoredBytes: maxStored }),
      authorize: offerFilter(output, authorize),
      hooks,
      ...(containers !== undefined && (await acceptContainers(containers, given, hooks))),
    });
    const { host, port, pagePort: pages, metricsPort } = server;
    const monitored = metrics && { ...metrics, port: metricsPort ?? metrics.port };
    output.listening(
      { host, port, pagePort: pages, metrics: monitored },
      `listening on ${formatEndpoint({ host, port })}`,
    );
    if (monitored) output.log(`metrics on http://${formatEndpoint(monitored)}/metrics`);
    await ended;
    server.drain();
    await states.awaitMemory(patience.signal);
    await server.close();
    output.result({ migrations: server.migrations }, '');
  });
}

/** The options of a server for containers whose bundles are in a directory. */
async function acceptContainers(
  bundles: string,
  { directory, containerLink: network, stateRoot: root }: ServeFlags,
  hooks: MigrationServerHooks,
): Promise<ContainerDestination> {
  const { containerDestination } = await import('../containers.ts');
  return containerDestination({
    ...{ directory, hooks },
    place: ({ container }) => ({
      bundle: join(bundles, container.id),
      ...defined({ network, root }),
    }),
  });
}
