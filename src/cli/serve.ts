import { once } from 'node:events';
import type { Command } from 'commander';
import { type CriuOpts, type RestoreOptions, serveMigrations } from '../index.ts';
import { addFlags, addJson } from './flags.ts';
import { addTrust, type TrustFlags, trustOf } from './migration.ts';
import { hostAndPort } from './quantities.ts';
import { withOutput } from './verb.ts';

const description =
  'Wait for process trees that come by node-criu migrate, and restore them here, until Ctrl-C or ' +
  'SIGTERM. What has been restored runs on.';

const examples = `
Examples:
  $ node-criu serve 192.0.2.2:7007 -D /var/lib/node-criu --ca ca.pem --cert target.pem --key target.key
  listening on 192.0.2.2:7007

  $ node-criu serve 127.0.0.1:0 -D /tmp/migrations --insecure --json`;

/** What comes with the migration. */
const decided: readonly (keyof CriuOpts)[] = [
  ...(['imagesDirectory', 'workDirectory', 'lazyPages', 'stream'] as const),
];

interface Given extends TrustFlags, Partial<RestoreOptions> {
  readonly directory: string;
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
    .showHelpAfterError('Try: node-criu serve --help')
    .addHelpText('after', examples);
  addFlags(addTrust(addJson(command)), ['restore'], { except: decided }).action(
    (listen: Place, given: Given) => serve(listen, given),
  );
}

async function serve(listen: Place, given: Given): Promise<void> {
  const { ca, cert, key, insecure, json = false, directory, ...restore } = given;
  const trust = trustOf(given);
  await withOutput(json, async (output, signal) => {
    const ended = once(signal, 'abort');
    const server = await serveMigrations({ listen, ...trust, directory, restore });
    const { host, port } = server;
    output.result(
      { host, port },
      `listening on ${host.includes(':') ? `[${host}]` : host}:${port}`,
    );
    await ended;
    await server.close();
  });
}
