import { once } from 'node:events';
import { type Command, Option } from 'commander';
import { defined } from './flags.ts';
import {
  addConnection,
  type ConnectionFlags,
  loadFleet,
  textOf,
  withFleet,
  wrong,
} from './fleet-connection.ts';
import { addHelp, RARE } from './help.ts';
import { eachText } from './pairs.ts';
import { DURATION, type hostAndPort, localAddress, milliseconds } from './quantities.ts';
import { isLoopback } from './trust.ts';

const description = [
  'Serve a page for browsers about a fleet, and metrics for Prometheus, until SIGTERM or Ctrl-C. It shows, and changes ' +
    'nothing: it needs no key of an operator, and only the rights of a viewer in Redis.',
  'It listens on 127.0.0.1, and prints an address with a new token. Other addresses need --cert and --key, or --insecure ' +
    'behind a proxy that has the certificate.',
].join('\n\n');

const examples = `
  $ node-criu fleet dashboard
  http://127.0.0.1:41873/#token=4FQcR5Xq0pZb1m9Jc3v7yK2dT8sW6hLuE0nAiGxVfYo
  $ node-criu fleet dashboard --listen 192.0.2.9:8700 --cert host.pem --key host.key \\
      --token-file /etc/node-criu/dashboard-token --host-name fleet.example.org
  https://192.0.2.9:8700/`;

interface DashboardFlags extends ConnectionFlags {
  readonly listen?: ReturnType<typeof hostAndPort>;
  readonly tokenFile?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: true;
  readonly hostName?: readonly string[];
  readonly interval?: number;
}

/** Adds the verb `fleet dashboard`. */
export function addDashboard(fleet: Command): void {
  const command = addHelp(fleet.command('dashboard'), examples)
    .summary('serve a page about the fleet')
    .description(description)
    .option(
      '--listen <host:port>',
      'where to listen; a port alone stands for 127.0.0.1 (default: any free port there)',
      localAddress,
    )
    .option('--token-file <file>', 'read the token from a file, and print the address without it')
    .option('--cert <file>', 'certificate, for https')
    .option('--key <file>', 'key of this certificate')
    .option('--insecure', 'use no certificate on an address that others can reach')
    .option(
      '--host-name <name>',
      'a name under which browsers reach it, besides localhost (may be repeated)',
      eachText,
    )
    .addOption(
      new Option(`--interval ${DURATION}`, 'time between two looks at the fleet (default: 1s)')
        .argParser(milliseconds)
        .helpGroup(RARE),
    );
  addConnection(command).action(run);
}

async function run(given: DashboardFlags): Promise<void> {
  const { listen, tokenFile, cert, key, insecure, hostName: names, interval: intervalMs } = given;
  if ((cert === undefined) !== (key === undefined)) throw wrong('give both --cert and --key');
  if (listen && cert === undefined && !insecure && !isLoopback(listen.host)) {
    throw wrong(
      `--listen ${listen.host} needs --cert and --key, because others on the network could read the token; or give --insecure`,
    );
  }
  const tls = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  const token = tokenFile === undefined ? undefined : await tokenIn(tokenFile);
  await withFleet(given, async ({ fleet, output, signal, interruption }) => {
    interruption.react([
      { message: 'closing the dashboard', action: (by) => interruption.cancel(by) },
    ]);
    const ended = once(signal, 'abort');
    const { serveDashboard } = await loadFleet();
    await using dashboard = await serveDashboard(fleet, {
      ...listen,
      ...defined({ token, tls, insecure, names, intervalMs }),
    });
    const { host, port } = dashboard;
    const url = token === undefined ? dashboard.url : dashboard.url.replace(/#.*/, '');
    output.listening({ host, port, url }, url);
    await ended;
    await dashboard.close();
    output.result({}, '');
  });
}

/** Reads a token. @throws CriuError without its value */
async function tokenIn(file: string): Promise<string> {
  const token = (await textOf(file, '--token-file')).trim();
  if (/^[\w-]{32,1024}$/.test(token)) return token;
  throw wrong(`--token-file: ${file} has no token of at least 32 letters, digits, - and _`);
}
