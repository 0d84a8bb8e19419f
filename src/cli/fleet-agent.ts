import { once } from 'node:events';
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import type { Labels } from '../fleet.ts';
import { Criu, type RestoreOptions } from '../index.ts';
import { type AddressFlag, collectAddress } from './addresses.ts';
import {
  addContainerPlace,
  type ContainerPlaceFlags,
  checkContainerPlace,
} from './container-place.ts';
import { addCriu, addFlags, addLogFormat, addQuiet, defined } from './flags.ts';
import { addConnection, type ConnectionFlags, withFleet } from './fleet-connection.ts';
import { readOperators } from './fleet-keys.ts';
import { label, positive } from './fleet-values.ts';
import { addHelp, RARE } from './help.ts';
import { eachText } from './pairs.ts';
import { bytes, DURATION, hostAndPort, milliseconds, port } from './quantities.ts';
import { setByRestore } from './serve.ts';
import { addTrustFlags, type TrustFlags, trustFrom } from './trust.ts';

/** How long a warning is not printed again, in milliseconds. */
const QUIET_MS = 30_000;
/** How long the process may take to end once everything is closed, in milliseconds. */
const EXIT_MS = 1000;

const description = [
  'Make this host one of a fleet: start, send and take workloads as operators order, until SIGTERM or Ctrl-C. The ' +
    'workloads run on when the agent ends.',
  'Its journals and its list of workloads are in --directory. Start it again with the same directory.',
].join('\n\n');

const examples = `
  $ node-criu fleet agent --name host-a --listen 192.0.2.1:7007 \\
      --ca ca.pem --cert host-a.pem --key host-a.key \\
      --operators /etc/node-criu/operators --label zone=a
  host-a takes orders and listens on 192.0.2.1:7007
  $ node-criu fleet agent --name host-b --listen 127.0.0.1:0 --insecure \\
      --directory b --operators ada.pub --operators bob.pub:move,drain`;

interface AgentFlags
  extends ConnectionFlags,
    TrustFlags,
    ContainerPlaceFlags,
    Partial<RestoreOptions> {
  readonly name?: string;
  readonly listen: ReturnType<typeof hostAndPort>;
  readonly checkpointPort?: number;
  readonly directory?: string;
  readonly operators: readonly string[];
  readonly label?: Labels;
  readonly incoming?: number;
  readonly outgoing?: number;
  readonly bandwidth?: number;
  readonly allowAddress?: readonly AddressFlag[];
  readonly heartbeat?: number;
  readonly criu?: string;
}

/** Adds the verb `fleet agent`. */
export function addAgent(fleet: Command): void {
  const command = addHelp(fleet.command('agent'), examples)
    .summary('make this host one of the fleet')
    .description(description)
    .option('--name <name>', 'its name, also that in its certificate (default: the host name)')
    .requiredOption('--listen <host:port>', 'where to take workloads from other hosts', hostAndPort)
    .option('-D, --directory <dir>', 'directory of its journals (default: /var/lib/node-criu)')
    .requiredOption(
      '--operators <path>',
      'a directory of NAME.pub, or one such file; PATH:move,drain limits them (may be repeated)',
      eachText,
    )
    .option('--label <name=value>', 'a label of the host (may be repeated)', label)
    .option(
      '--allow-address <range>',
      'take addresses of this range: 192.0.2.0/24[@DEVICE] (may be repeated)',
      collectAddress,
    )
    .option('--incoming <number>', 'moves to this host at once (default: 2)', positive)
    .option('--outgoing <number>', 'moves from this host at once (default: 2)', positive)
    .option('--bandwidth <size>', 'bytes per second of all moves, each way', bytes)
    .addOption(
      new Option(
        '--checkpoint-port <port>',
        'where to take checkpoints from other hosts, at the address of --listen (default: any)',
      )
        .argParser(port)
        .helpGroup(RARE),
    )
    .addOption(
      new Option(`--heartbeat ${DURATION}`, 'how often it says that it is there (default: 5s)')
        .argParser(milliseconds)
        .helpGroup(RARE),
    );
  addContainerPlace(
    command,
    'take containers as well; DIRECTORY/ID is the bundle of the container ID',
  );
  const common = addTrustFlags(addCriu(addLogFormat(addQuiet(addConnection(command)))));
  addFlags(common, ['restore'], { except: setByRestore, common: [] }).action(run);
}

async function run(given: AgentFlags): Promise<void> {
  const { redis: _, redisCa: _ca, redisPasswordFile: _file, fleet: _fleet, ...own } = given;
  const { json: _json, quiet: _quiet, logFormat: _format, ...flags } = own;
  const { ca: _authority, cert: _cert, key: _key, insecure: _insecure, ...others } = flags;
  const { name = hostname(), listen, directory, operators: paths, label: labels, ...more } = others;
  const { incoming, outgoing, bandwidth, allowAddress: allowAddresses, ...rest } = more;
  const { heartbeat: heartbeatMs, checkpointPort, criu: path, ...placing } = rest;
  const { containers: bundles, containerLink: network, stateRoot: root, ...restore } = placing;
  checkContainerPlace(given);
  const trust = trustFrom(given, listen.host);
  const operators = await readOperators(paths);
  await withFleet(given, async ({ fleet, output, signal, interruption }) => {
    interruption.react([
      {
        message:
          'leaving the fleet once the moves under way have ended; workloads run on; press Ctrl-C again to exit at once',
        action: (by) => interruption.cancel(by),
      },
    ]);
    const ended = once(signal, 'abort');
    const saidAt = new Map<string, number>();
    const warning = (error: Error) => {
      const { message } = error;
      const now = performance.now();
      if (now - (saidAt.get(message) ?? -Infinity) < QUIET_MS) return;
      saidAt.set(message, now);
      output.step({ step: 'warning', message }, `warning: ${message}`);
    };
    await using criu = new Criu(defined({ path }));
    await using member = await fleet.join({
      ...{ ...trust, name, operators, criu, restore, hooks: { warning } },
      listen: { ...listen, ...defined({ checkpointPort }) },
      ...defined({ directory, labels, allowAddresses, heartbeatMs }),
      ...(bundles !== undefined && { containers: { bundles, ...defined({ network, root }) } }),
      limits: defined({ incoming, outgoing, bandwidth }),
    });
    const { endpoint } = member;
    const text = `${name} takes orders and listens on ${endpoint}`;
    output.listening({ name, ...hostAndPort(endpoint) }, text);
    await ended;
    await member.close();
    output.result({ name }, '');
  });
  // If Redis is away, timers of BullMQ would keep Node running.
  setTimeout(() => process.exit(), EXIT_MS).unref();
}
