import { type Command, InvalidArgumentError } from 'commander';
import { createAuthority, issueCertificate } from './certificates.ts';
import { addJson } from './flags.ts';
import { withOutput } from './verb.ts';

interface Given {
  readonly days: number;
  readonly json?: boolean;
}

const description = [
  'Make a certificate authority of your own, and certificates of it, for TLS between hosts of a lab: ' +
    "for CRIU's page server and lazy pages, and for migrations. Each certificate serves both ends.",
  'Every host gets ca.pem and its own NAME.pem and NAME.key, with mode 0600 for the key. ca.key ' +
    'stays where it is: who has it can let anybody in. It takes openssl on PATH.',
].join('\n\n');

const examples = `
Examples:
  $ node-criu cert init lab
  $ node-criu cert host lab source 192.0.2.1
  $ node-criu cert host lab target,target.example.org,192.0.2.2
  $ node-criu dump 4711 -D images --page-server 192.0.2.2:27027 --tls \\
      --tls-cacert lab/ca.pem --tls-cert lab/source.pem --tls-key lab/source.key`;

/** Adds the verb `cert`. */
export function addCert(program: Command): void {
  const cert = program
    .command('cert')
    .summary('make certificates for TLS between the hosts of a lab')
    .description(description)
    .helpCommand(false)
    .showHelpAfterError('Try: node-criu cert --help')
    .addHelpText('after', examples);
  const init = cert
    .command('init')
    .summary('make the certificate authority: ca.pem and ca.key')
    .description('Make a certificate authority: ca.pem, for every host, and ca.key, for none.')
    .argument('<directory>', 'where to; it is made with mode 0700')
    .option('--days <number>', 'how long it is valid', days, 3650)
    .showHelpAfterError('Try: node-criu cert init --help');
  addJson(init).action(makeAuthority);
  const host = cert
    .command('host')
    .summary('make the certificate of a host: NAME.pem and NAME.key')
    .description(
      'Make the certificate of a host. What the other end connects to has to be among its names.',
    )
    .argument('<directory>', 'that of the certificate authority')
    .argument('<names...>', 'names and IP addresses of the host; the first one names the files')
    .option('--days <number>', 'how long it is valid', days, 365)
    .showHelpAfterError('Try: node-criu cert host --help');
  addJson(host).action(makeCertificate);
}

async function makeAuthority(directory: string, { days, json = false }: Given): Promise<void> {
  await withOutput(json, async (output, signal) => {
    const made = await createAuthority(directory, days, signal);
    output.result({ ...made }, `${made.cert}\n${made.key}`);
  });
}

async function makeCertificate(
  directory: string,
  names: readonly string[],
  { days, json = false }: Given,
): Promise<void> {
  await withOutput(json, async (output, signal) => {
    const all = names.flatMap((name) => name.split(','));
    const made = await issueCertificate(directory, all, days, signal);
    output.result({ ...made }, `${made.cert}\n${made.key}`);
  });
}

function days(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 36500) return number;
  throw new InvalidArgumentError('It is a number of days, from 1 to 36500.');
}
