import { fstatSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { CopyOptions, PublishedPort } from '../index.ts';
import { addCriu, addJson, addQuiet, type Common, defined } from './flags.ts';
import { awaitEnd } from './foreground.ts';
import { addHelp } from './help.ts';
import { variable } from './pairs.ts';
import { formatEndpoint } from './quantities.ts';
import { encryptionOf, type SecretFlags, secretOptions, wrongSecret } from './secrets.ts';
import { withCriu } from './verb.ts';

const description = [
  'Start a copy of a template that node-criu warm has made, pass signals on to it, and exit with its exit code, or ' +
    'with 128 and the number of the signal that ended it.',
  'With --publish the copy is in a network of its own, and this command forwards connections to it. Without, it is in ' +
    'the network of this host, where only one copy can listen on a port, unless the program listens after the ' +
    'restore, as node-criu/guest lets it. --env and arguments need a program that loads that library.',
  '--detach prints the pid of the copy and leaves it running.',
].join('\n\n');

const examples = `
  $ node-criu copy /var/lib/app/template --publish 8080
  node-criu: the copy, process 4711, is at 127.0.0.1:35001, which leads to its port 8080

  $ node-criu copy template --publish 0.0.0.0:80:8080 --env TENANT=blue -- --verbose
  $ node-criu copy template --detach --stdout copy.log
  4711`;

interface CopyFlags extends Common, SecretFlags {
  readonly publish?: PublishedPort[];
  readonly network?: string;
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly mergeMemory?: true;
  readonly detach?: true;
}

/** Adds the verb `copy`. */
export function addCopy(program: Command): void {
  const command = addHelp(program.command('copy'), examples)
    .summary('start a copy of a template')
    .description(description)
    .argument('<directory>', 'the images directory of the template')
    .argument('[args...]', 'arguments in the place of those of the program')
    .option(
      '--publish <[[host:]port:]to>',
      'lead a port of this host to a port of the copy (may be repeated)',
      publishedPort,
    )
    .option('--network <name>', 'host, own, or the path of a network namespace')
    .option('--name <name>', 'a name that the copy is told')
    .option('--env <name=value>', 'set a variable of its environment (may be repeated)', variable)
    .option(
      '--stdout <file>',
      'append its standard output to a file (default: that of the command)',
    )
    .option('--stderr <file>', 'the same for its standard error')
    .option('--merge-memory', 'let the kernel share equal pages among copies')
    .option('--detach', 'leave it running; its output is discarded unless it goes to a file');
  for (const secret of secretOptions('decrypt the template')) command.addOption(secret);
  addQuiet(addCriu(addJson(command))).action(
    async (directory: string, args: string[], given: CopyFlags) => {
      const wrong = wrongSecret(given);
      if (wrong !== undefined) command.error(`error: ${wrong}`);
      if (given.detach && given.publish) {
        command.error('error: --publish needs this command to run: leave out --detach');
      }
      await copy(directory, args, given);
    },
  );
}

async function copy(directory: string, args: string[], given: CopyFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits, interruption }) => {
    const { detach = false, publish, network, name, env, mergeMemory } = options;
    const { signal } = limits;
    const encryption = await encryptionOf(options);
    const start = async () => {
      await using template = await criu.openTemplate(directory, defined({ encryption }));
      return await template.start({
        ...defined({ publish, network, name, env, mergeMemory, signal }),
        ...(args.length > 0 && { args }),
        stdout: options.stdout ?? inherited(1, detach),
        stderr: options.stderr ?? inherited(2, detach),
      });
    };
    const started = await start();
    started.stdout?.pipe(process.stdout);
    started.stderr?.pipe(process.stderr);
    const { id, pid, published } = started;
    output.result({ id, pid, published }, detach ? String(pid) : '');
    for (const { host, port, to } of published) {
      const place = formatEndpoint({ host, port });
      output.hint(`the copy, process ${pid}, is at ${place}, which leads to its port ${to}`);
    }
    if (detach) return;
    interruption[Symbol.dispose]();
    process.exitCode = await awaitEnd(started);
  });
}

/** The stream of this command, which a copy can have unless it is a socket. */
function inherited(fd: 1 | 2, isDetached: boolean): NonNullable<CopyOptions['stdout']> {
  if (isDetached) return 'ignore';
  return fstatSync(fd).isSocket() ? 'pipe' : fd;
}

/** Parses `8080`, `80:8080`, `127.0.0.1:80:8080` or `[::1]:80:8080`; the flag can be repeated. */
function publishedPort(text: string, previous: readonly PublishedPort[] = []): PublishedPort[] {
  const pattern = /^(?:(?:(?:\[(.+)\]|([^:]+)):)?(\d{1,5}):)?(\d{1,5})$/;
  const [, inBrackets, plain, port = '0', to] = pattern.exec(text) ?? [];
  const host = inBrackets ?? plain;
  if (to === undefined || Number(port) > 65_535 || Number(to) > 65_535) {
    throw new InvalidArgumentError('Give a port such as 8080, 80:8080 or 192.0.2.1:80:8080.');
  }
  return [...previous, { ...defined({ host }), port: Number(port), to: Number(to) }];
}
