import { type Command, Option } from 'commander';
import { RARE } from './help.ts';
import {
  criuOptions,
  flagOf,
  helpOf,
  type Operation,
  type OptionHelp,
  type OptionName,
  optionNames,
} from './option-names.ts';
import { DURATION, milliseconds } from './quantities.ts';
import { spellings } from './spellings.ts';
import { tlsFlags, withTls } from './tls-flags.ts';

const GROUP = 'Options of CRIU:';

/** A paragraph of the help about flags that {@link addFlags} adds without listing them. */
export const NEGATION_HELP =
  "To turn off a flag that CRIU's configuration file turns on, put --no- before its name.";

/** Options that `--help` lists too; the others are listed by `--help-all`. */
const everyday: readonly OptionName[] = [
  'imagesDirectory',
  'leaveRunning',
  'overwrite',
  'tcpEstablished',
  'externalUnixConnections',
  'fileLocks',
  'shellJob',
];

/**
 * Adds a flag for each option that at least one of the operations takes: `tcpEstablished` becomes
 * `--tcp-established` and `--no-tcp-established`. `opts()` returns them under the library's names.
 * @param required options that must be given
 * @param except options that get no flag
 * @param common options that `--help` lists too; `--help-all` lists all
 */
export function addFlags(
  command: Command,
  operations: readonly Operation[],
  {
    required = [],
    except = [],
    common = everyday,
  }: {
    readonly required?: readonly OptionName[];
    readonly except?: readonly OptionName[];
    readonly common?: readonly OptionName[];
  } = {},
): Command {
  for (const name of optionNames) {
    const help = criuOptions[name];
    if (except.includes(name)) continue;
    if (!operations.some((operation) => help.operations.includes(operation))) continue;
    for (const flag of flagsFor(name, help)) {
      if (!common.includes(name)) flag.helpGroup(GROUP);
      command.addOption(flag.makeOptionMandatory(required.includes(name)));
    }
  }
  return command;
}

function flagsFor(name: OptionName, { form, takes }: OptionHelp): Option[] {
  if (form === 'tls') return tlsFlags();
  const { placeholder, repeats, showsValues, read } = spellings[form];
  const flag = `${name === 'imagesDirectory' ? '-D, ' : ''}${flagOf(name)}`;
  const notes = [
    ...(showsValues ? [takes.replace(/^an array of /, '')] : []),
    ...(repeats ? ['may be repeated'] : []),
  ];
  const note = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  if (placeholder === undefined) {
    const negated = new Option(`--no-${flagOf(name).slice(2)}`).hideHelp();
    return [new Option(flag, helpOf(name)), negated];
  }
  const option = new Option(`${flag} ${placeholder}`, `${helpOf(name)}${note}`);
  return [option.argParser((text, previous) => read(text, previous as never))];
}

/** The flags of all verbs that run criu. */
export interface Common {
  readonly criu?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly deadline?: number;
  readonly gracePeriod?: number;
}

/** Adds the flags of {@link Common}. */
export function addCommon(command: Command): Command {
  const gracePeriod = new Option(
    `--grace-period ${DURATION}`,
    'time for a cancelled criu to roll back before it is killed (default: 5s)',
  );
  return addCriu(addJson(command))
    .option(`--deadline ${DURATION}`, 'cancel after this time, such as 10s or 500ms', milliseconds)
    .addOption(gracePeriod.argParser(milliseconds).helpGroup(RARE));
}

/** Adds the flag that names the criu binary. */
export function addCriu(command: Command): Command {
  const criu = new Option(
    '--criu <file>',
    'the criu binary (default: $CRIU_PATH, or criu on PATH)',
  );
  return command.addOption(criu.helpGroup(RARE));
}

/** Adds the flag of all verbs but `completion`. */
export function addJson(command: Command): Command {
  return command.option('--json', 'print JSON: events and the result, a line each');
}

/** Adds the flag of the verbs that report steps or progress. */
export function addQuiet(command: Command): Command {
  return command.option('-q, --quiet', 'print no steps and no progress');
}

/** Adds the flag of the verbs that run for long or unattended. */
export function addLogFormat(command: Command): Command {
  const format = new Option(
    '--log-format <name>',
    'format of standard error: text (default), or json with an object in each line',
  );
  return command.addOption(format.choices(['text', 'json']).helpGroup(RARE));
}

/** Separates the options of an operation from those of the client and of the command itself. */
export function optionsFrom<O extends Common>(given: O) {
  const { criu, json = false, quiet = false, deadline, gracePeriod, ...options } = given;
  return {
    output: { json, quiet },
    client: defined({ path: criu }),
    limits: defined({ deadlineMs: deadline, gracePeriodMs: gracePeriod }),
    options: withTls(options),
  };
}

/** The properties that are not undefined. */
export function defined<O extends object>(
  options: O,
): { readonly [K in keyof O]?: Exclude<O[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof O]?: Exclude<O[K], undefined> };
}
