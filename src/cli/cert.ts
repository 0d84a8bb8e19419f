import { type Command, InvalidArgumentError } from 'commander';
import { createAuthority, issueCertificate } from './certificates.ts';
import { addJson } from './flags.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

interface CertFlags {
  readonly days: number;
  readonly json?: boolean;
}

const description = [
  'Create a certificate authority and host certificates for TLS between the hosts of a lab: for ' +
    "CRIU's page server, lazy pages and migrations. A certificate works as client and as server.",
  'Copy ca.pem, NAME.pem and NAME.key (mode 0600) to the host NAME. Keep ca.key: whoever has it can ' +
    'issue certificates that your hosts accept. Needs openssl on PATH.',
].join('\n\n');

const initExamples = `
  $ node-criu cert init lab`;

const hostExamples = `
  $ node-criu cert host lab source 192.0.2.1
  $ node-criu cert host lab target,target.example.org,192.0.2.2`;

const examples = `${initExamples}${hostExamples}
  $ node-criu dump 4711 -D images --page-server 192.0.2.2:27027 --tls \\
      --tls-cacert lab/ca.pem --tls-cert lab/source.pem --tls-key lab/source.key`;

/** Adds the verb `cert`. */
export function addCert(program: Command): void {
  const cert = addHelp(program.command('cert'), examples)
    .summary('create certificates for TLS between the hosts of a lab')
    .description(description)
    .helpCommand(false);
  const init = addHelp(cert.command('init'), initExamples)
    .summary('create the certificate authority: ca.pem and ca.key')
    .description(
      'Create a certificate authority: ca.pem for every host, and ca.key, which stays here.',
    )
    .argument('<directory>', 'where to write the files; created with mode 0700')
    .option('--days <number>', 'validity of the certificate', days, 3650);
  addJson(init).action(makeAuthority);
  const host = addHelp(cert.command('host'), hostExamples)
    .summary('create a host certificate: NAME.pem and NAME.key')
    .description(
      'Create the certificate of a host. Its names must include the address that clients connect to.',
    )
    .argument('<directory>', 'directory of the certificate authority')
    .argument(
      '<names...>',
      'names and IP addresses of the host; the first is the name of the files',
    )
    .option('--days <number>', 'validity of the certificate', days, 365);
  addJson(host).action(makeCertificate);
}

async function makeAuthority(directory: string, { days, json = false }: CertFlags): Promise<void> {
  await withOutput({ json }, async (output, signal) => {
    const { cert, key } = await createAuthority(directory, days, signal);
    output.result({ cert, key }, `${cert}\n${key}`);
  });
}

async function makeCertificate(
  directory: string,
  names: readonly string[],
  { days, json = false }: CertFlags,
): Promise<void> {
  await withOutput({ json }, async (output, signal) => {
    const all = names.flatMap((name) => name.split(','));
    const { cert, key } = await issueCertificate(directory, all, days, signal);
    output.result({ cert, key }, `${cert}\n${key}`);
  });
}

function days(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 36500) return number;
  throw new InvalidArgumentError('Give a number of days from 1 to 36500.');
}
