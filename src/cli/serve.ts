import { once } from 'node:events';
import type { Command } from 'commander';
import { CriuError, type CriuOpts, type RestoreOptions, serveMigrations } from '../index.ts';
import { addCriu, addFlags, addJson, defined } from './flags.ts';
import { CopyStates, tellingOffers } from './incoming.ts';
import { addTrust, type TrustFlags, trustOf } from './migration.ts';
import { hostAndPort, port } from './quantities.ts';
import { withOutput } from './verb.ts';

const description = [
  'Wait for process trees that come by node-criu migrate, and restore them here, until Ctrl-C or ' +
    'SIGTERM ends it with exit code 0. What has been restored runs on; what does not run yet runs on ' +
    'where it comes from.',
  'What it is about is told on standard error: each offer, and each state that a migration comes to. ' +
    'If it dies, start it again with the same directory: it puts right first what was left.',
  'Whoever has a certificate of the authority may bring processes that run as root here: give it to ' +
    'your hosts only, or name those that may come by --authorize.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu serve 192.0.2.2:7007 -D /var/lib/node-criu \\
      --ca ca.pem --cert target.pem --key target.key
  listening on 192.0.2.2:7007

  $ node-criu serve 192.0.2.2:7007 -D /var/lib/node-criu --page-port 7008 --authorize source \\
      --ca ca.pem --cert target.pem --key target.key
  $ node-criu serve 127.0.0.1:0 -D /var/lib/node-criu --insecure --json`;

/** What comes with the migration. */
const decided: readonly (keyof CriuOpts)[] = [
  ...(['imagesDirectory', 'workDirectory', 'lazyPages', 'stream'] as const),
];

interface Given extends TrustFlags, Partial<RestoreOptions> {
  readonly directory: string;
  readonly pagePort?: number;
  readonly authorize?: readonly string[];
  readonly criu?: string;
  readonly json?: boolean;
}

type Place = ReturnType<typeof hostAndPort>;

/** Adds the verb `serve`. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .summary('wait for process trees from other hosts, and restore them')
    .description(description)
    .argument('<host:port>', 'where to listen; port 0 is any that is free', hostAndPort)
    .requiredOption('-D, --directory <directory>', 'where to keep images and journals')
    .option('--page-port <port>', 'where memory comes in, on the same host (default: any)', port)
    .option(
      '--authorize <name>',
      'take only what comes from a host with this name in its certificate (may be repeated)',
      (name, before: readonly string[] = []) => [...before, name],
    )
    .showHelpAfterError('Try: node-criu serve --help')
    .addHelpText('after', examples);
  addFlags(addTrust(addCriu(addJson(command))), ['restore'], { except: decided }).action(
    (listen: Place, given: Given) => serve(listen, given),
  );
}

async function serve(at: Place, given: Given): Promise<void> {
  const { ca, cert, key, insecure, json = false, directory, criu, ...others } = given;
  const { pagePort, authorize, ...restore } = others;
  const trust = trustOf(given, at.host);
  if (authorize && insecure) {
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', '--authorize needs certificates');
  }
  await withOutput(json, async (output, signal, interruption) => {
    const patience = new AbortController();
    interruption.react([
      {
        tells: 'closing: what does not run here yet runs on where it comes from',
        does: (by) => interruption.cancel(by),
      },
      {
        tells: 'closing at once: a copy that lacks memory is lost; again to end the command',
        does: () => patience.abort(),
      },
    ]);
    const ended = once(signal, 'abort');
    const states = new CopyStates(output);
    await using server = await serveMigrations({
      ...{ ...trust, directory, restore },
      listen: { ...at, ...defined({ pagePort }) },
      ...defined({ path: criu }),
      authorize: tellingOffers(output, { names: authorize, closing: signal }),
      hooks: { changed: (migration) => states.tell(migration) },
    });
    const { host, port, pagePort: forPages } = server;
    output.listening(
      { host, port, pagePort: forPages },
      `listening on ${host.includes(':') ? `[${host}]` : host}:${port}`,
    );
    await ended;
    await states.awaitParasiteExit(patience.signal);
    await server.close();
    output.result({ migrations: server.migrations }, '');
  });
}
