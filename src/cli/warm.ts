import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type {
  GuestHandle,
  Template,
  TemplateNamespace,
  TemplateOptions,
  TemplateReadiness,
} from '../index.ts';
import { formatFinding } from './failure.ts';
import { addCriu, addJson, addQuiet, type Common, defined } from './flags.ts';
import { addHelp, RARE } from './help.ts';
import { eachText, variable } from './pairs.ts';
import { count, milliseconds, port } from './quantities.ts';
import { encryptionOf, type SecretFlags, secretOptions, wrongSecret } from './secrets.ts';
import { idsOf } from './user.ts';
import { withCriu } from './verb.ts';

const description = [
  'Start a program, wait until it is ready, and make a checkpoint of it, of which node-criu copy starts any number of ' +
    'copies side by side. The program ends; the directory then holds the memory that it had, secrets included, unless ' +
    '--key-file or --passphrase-file encrypt it.',
  'The program is started in pid and mount namespaces of its own, with an init. It sees the root directory of this ' +
    'host and, of its other mounts, those that contain the program, its directory and its arguments, /dev, /run, ' +
    '/sys and the directory of temporary files; name others with --mount.',
  'Without --ready, --ready-port, --ready-line or --ready-file, the program says itself when it is ready: it calls ' +
    'checkpoint() of node-criu/guest. Node 20 needs --no-wasm-memory-protection-keys to be restored on a processor ' +
    'with protection keys.',
].join('\n\n');

const examples = `
  $ node-criu warm -D /var/lib/app/template --ready http://127.0.0.1:8080/health -- node app.js
  /var/lib/app/template

  $ node-criu warm -D template --ready-line 'listening on' --warm-up http://127.0.0.1:8080/ -- node app.js
  $ node-criu copy template --publish 8080`;

interface WarmFlags extends Common, SecretFlags {
  readonly imagesDirectory: string;
  readonly ready?: string;
  readonly readyPort?: number;
  readonly readyLine?: string;
  readonly readyFile?: string;
  readonly readyTimeout?: number;
  readonly warmUp?: string;
  readonly requests?: number;
  readonly namespace?: TemplateNamespace[];
  readonly mount?: string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly overwrite?: true;
  readonly reportHandles?: true;
}

/** Adds the verb `warm`. */
export function addWarm(program: Command): void {
  const command = addHelp(program.command('warm'), examples)
    .summary('start a program and make a checkpoint to start copies from')
    .description(description)
    .argument('<program>', 'a path, or a name to look up on PATH')
    .argument('[args...]', 'arguments of the program')
    .requiredOption('-D, --images-directory <dir>', 'where the checkpoint is written')
    .option('--ready <url>', 'it is ready when a GET of this http: URL is answered')
    .option('--ready-port <port>', 'it is ready when it listens on this TCP port', port)
    .option('--ready-line <text>', 'it is ready when it has written a line with this text')
    .option('--ready-file <file>', 'it is ready when this file exists')
    .option('--warm-up <url>', 'send 10 requests to this URL before the checkpoint')
    .option('--cwd <dir>', 'working directory of the program (default: the current one)')
    .option('--env <name=value>', 'set a variable of the environment (may be repeated)', variable)
    .option('--stdout <file>', 'append what it writes while it starts to a file')
    .option('--stderr <file>', 'the same for its standard error')
    .option('--overwrite', 'replace a checkpoint that the directory holds');
  for (const option of rareOptions()) command.addOption(option.helpGroup(RARE));
  addQuiet(addCriu(addJson(command)))
    .passThroughOptions()
    .action(async (file: string, args: string[], given: WarmFlags) => {
      const wrong = wrongSecret(given);
      if (wrong !== undefined) command.error(`error: ${wrong}`);
      await warm(file, args, given);
    });
}

function rareOptions(): Option[] {
  return [
    new Option(
      '--ready-timeout <duration>',
      'how long it may take to be ready (default: 60s)',
    ).argParser(milliseconds),
    new Option('--requests <n>', 'how many requests --warm-up sends (default: 10)').argParser(
      count,
    ),
    new Option(
      '--namespace <name>',
      'ipc, net or uts: another namespace of its own (may be repeated)',
    ).argParser(eachText),
    new Option(
      '--mount <path>',
      'another mount of this host that the program sees (may be repeated)',
    ).argParser(eachText),
    new Option('--user <user[:group]>', 'run as this user: names or numbers'),
    new Option(
      '--report-handles',
      'print what the program has open at the checkpoint, and where it was created, if it uses node-criu/guest',
    ),
    ...secretOptions('encrypt the checkpoint'),
  ];
}

async function warm(file: string, args: string[], given: WarmFlags): Promise<void> {
  await withCriu(given, async ({ criu, output, options, limits }) => {
    const { imagesDirectory, readyTimeout, namespace, mount, user, env } = options;
    const { cwd, stdout, stderr, overwrite } = options;
    const { signal } = limits;
    const reportHandles = (handles: readonly GuestHandle[]) => {
      for (const handle of handles) output.notice('handle', handle, handleText(handle));
    };
    const encryption = await encryptionOf(options);
    await using template = await criu.template(file, args, {
      imagesDirectory,
      ...defined({ encryption }),
      ...defined({ cwd, stdout, stderr, overwrite, signal, readyTimeoutMs: readyTimeout }),
      ...defined({ ready: readinessOf(options), warmUp: warmUpOf(options) }),
      ...defined({ namespaces: namespace, mounts: mount?.map((path) => resolve(path)) }),
      ...(env && { env: { ...process.env, ...env } }),
      ...(user !== undefined && (await idsOf(user))),
      ...(options.reportHandles && { reportHandles }),
    });
    for (const finding of template.findings) {
      output.notice('finding', finding, formatFinding(finding, process.stderr));
    }
    output.result(summaryOf(template), template.imagesDirectory);
  });
}

function readinessOf(flags: WarmFlags): TemplateReadiness | undefined {
  const { ready: url, readyPort, readyLine: line, readyFile } = flags;
  const file = readyFile && resolve(flags.cwd ?? '.', readyFile);
  const sign = defined({ url, port: readyPort, line, file });
  return Object.keys(sign).length === 0 ? undefined : sign;
}

function warmUpOf({ warmUp, requests }: WarmFlags): TemplateOptions['warmUp'] {
  return warmUp === undefined ? undefined : { url: warmUp, ...defined({ requests }) };
}

function summaryOf({ imagesDirectory, command, hasGuest }: Template) {
  return { imagesDirectory, command, hasGuest };
}

function handleText({ kind, detail, stack }: GuestHandle): string {
  return `open at the checkpoint: ${kind} ${detail}${stack === undefined ? '' : `\n${stack}`}`;
}
