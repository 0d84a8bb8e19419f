import { type Command, InvalidArgumentError, Option } from 'commander';
import { summaries } from '../generated/help.ts';
import type { CriuOpts, TlsOptions } from '../index.ts';
import type { Form, Kind } from '../options/kinds.ts';
import { type Operation, rowOf } from '../options/table.ts';
import { flagOf } from './failure.ts';
import { DURATION, milliseconds } from './quantities.ts';

/** How a value is spelled on a command line. What is no such value is left to the library to refuse. */
interface Spelling {
  /** What stands for it in `--help`; none if the flag says all. */
  readonly placeholder?: string;
  /** One text of several, each given by a flag of its own. */
  readonly repeats?: true;
  /** `--help` should say what the library takes. */
  readonly tells?: true;
  /** @param before what the same flag has given before, if it repeats */
  read(text: string, before: never): unknown;
}

const asIs = (text: string) => text;
const list = <T>(read: (text: string) => T, placeholder: string): Spelling => ({
  placeholder,
  repeats: true,
  read: (text, before: readonly T[] = []) => [...before, read(text)],
});
const record = <T>(placeholder: string, read: (value: string) => T): Spelling => ({
  placeholder,
  repeats: true,
  read(text, before: Readonly<Record<string, T>> = {}) {
    const [name, value] = halves(text);
    return { ...before, [name]: read(value) };
  },
});

const spellings: Readonly<Record<Exclude<Form, 'tls'>, Spelling>> = {
  flag: { read: () => true },
  text: { placeholder: '<text>', read: asIs },
  directory: { placeholder: '<directory>', read: asIs },
  name: { placeholder: '<name>', tells: true, read: asIs },
  integer: { placeholder: '<number>', tells: true, read: numberOr },
  mask: {
    placeholder: '<names>',
    tells: true,
    read: (text) => (isNumber(text) ? Number(text) : text.split(',')),
  },
  texts: list(asIs, '<text>'),
  inodes: list(numberOr, '<inode>'),
  pairs: record('<name=value>', asIs),
  inheritedFds: record('<name=descriptor>', numberOr),
  descriptor: { placeholder: '<descriptor>', read: numberOr },
  vethPairs: list((text) => {
    const [containerInterfaceName, hostInterfaceName] = halves(text);
    return { containerInterfaceName, hostInterfaceName };
  }, '<inside=outside>'),
  namespaces: list((text) => {
    const [, ns, file, extraOpt] = /^(\w+):([^,]+)(?:,(.*))?$/s.exec(text) ?? [];
    if (ns === undefined || file === undefined) throw malformed();
    return { ns, nsFile: numberOr(file), ...(extraOpt !== undefined && { extraOpt }) };
  }, '<kind:file-or-pid[,more]>'),
  pageServer: {
    placeholder: '<address:port>',
    read(text) {
      const [, address, port] = /^\[?(.*?)\]?:(\d+)$/s.exec(text) ?? [];
      if (address === undefined) throw malformed();
      if (address === 'fd') return { fd: Number(port) };
      return { ...(address !== '' && { address }), port: Number(port) };
    },
  },
};

const GROUP = 'Options of CRIU:';

/**
 * Adds a flag for each option that one of the operations takes: `tcpEstablished` becomes
 * `--tcp-established`, and `--no-tcp-established`. `opts()` then has them under the library's names.
 * @param required those that have to be given
 * @param except those that are none of the caller's business
 */
export function addFlags(
  command: Command,
  operations: readonly Operation[],
  {
    required = [],
    except = [],
  }: {
    readonly required?: readonly (keyof CriuOpts)[];
    readonly except?: readonly (keyof CriuOpts)[];
  } = {},
): Command {
  for (const [option, [, { kind, operations: taking }]] of rowOf) {
    const name = option as keyof CriuOpts;
    if (except.includes(name)) continue;
    if (!operations.some((operation) => taking.includes(operation))) continue;
    for (const flag of flagsFor(name, kind)) {
      const isRequired = required.includes(name);
      command.addOption(isRequired ? flag.makeOptionMandatory() : flag.helpGroup(GROUP));
    }
  }
  return command;
}

function flagsFor(name: keyof CriuOpts, kind: Kind): Option[] {
  if (kind.form === 'tls') return tlsFlags();
  const { placeholder, repeats, tells, read } = spellings[kind.form];
  const flag = `${name === 'imagesDirectory' ? '-D, ' : ''}${flagOf(name)}`;
  const notes = [...(tells ? [kind.takes] : []), ...(repeats ? ['may be repeated'] : [])];
  const note = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  if (placeholder === undefined) {
    const negated = new Option(`--no-${flagOf(name).slice(2)}`).hideHelp();
    return [new Option(flag, helpOf(name)), negated];
  }
  const option = new Option(`${flag} ${placeholder}`, `${helpOf(name)}${note}`);
  return [option.argParser((text, before) => read(text, before as never))];
}

/** The flags of the criu command, which `optionsFrom` turns into the option `tls`. */
function tlsFlags(): Option[] {
  return [
    new Option('--tls', helpOf('tls')),
    new Option('--no-tls').hideHelp(),
    new Option('--tls-cacert <file>', `certificate authority (default: ${defaultTls.ca})`),
    new Option('--tls-cacrl <file>', 'certificate revocation list'),
    new Option('--tls-cert <file>', `certificate to present (default: ${defaultTls.cert})`),
    new Option('--tls-key <file>', `private key of the certificate (default: ${defaultTls.key})`),
    new Option('--tls-no-cn-verify', 'accept a server certificate for any address'),
  ];
}

/** Source: criu(8), --tls-cacert and the like. */
const defaultTls = {
  ca: '/etc/pki/CA/cacert.pem',
  cert: '/etc/pki/criu/cert.pem',
  key: '/etc/pki/criu/private/key.pem',
};

/** The flags of {@link tlsFlags}, as commander has read them. */
interface TlsFlags {
  readonly tls?: unknown;
  readonly tlsCacert?: string | undefined;
  readonly tlsCacrl?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsNoCnVerify?: boolean | undefined;
}

/** Replaces these flags with the option of the library. */
function withTls<O extends object>(flags: O): O {
  const { tls, tlsCacert, tlsCacrl, tlsCert, tlsKey, tlsNoCnVerify, ...others } = flags as TlsFlags;
  if (tls !== true) return { ...others, ...(tls === false && { tls }) } as O;
  const options: TlsOptions = {
    ca: tlsCacert ?? defaultTls.ca,
    cert: tlsCert ?? defaultTls.cert,
    key: tlsKey ?? defaultTls.key,
    ...(tlsCacrl !== undefined && { crl: tlsCacrl }),
    ...(tlsNoCnVerify && { verifyName: false }),
  };
  return { ...others, tls: options } as O;
}

/** The first sentence of the option's comment, as plain text with flags in it. */
function helpOf(name: keyof CriuOpts): string {
  return summaries[name]
    .replace(/`(\w+)`/g, (quoted, word) => (rowOf.has(word) ? flagOf(word) : quoted))
    .replace(/[`*]/g, '')
    .replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}

/** What the verbs have in common that run a criu. */
export interface Common {
  readonly criu?: string;
  readonly json?: true;
  readonly deadline?: number;
  readonly gracePeriod?: number;
}

/** Adds the flags of {@link Common}. */
export function addCommon(command: Command): Command {
  return addCriu(addJson(command))
    .option(`--deadline ${DURATION}`, 'cancel it after this time, as 10s or 500ms', milliseconds)
    .option(
      `--grace-period ${DURATION}`,
      'how long a cancelled criu may take to roll back before it is killed (default: 5s)',
      milliseconds,
    );
}

/** Adds the flag of the verbs that run a criu. */
export function addCriu(command: Command): Command {
  return command.option('--criu <file>', 'the criu to run (default: CRIU_PATH, else criu on PATH)');
}

/** Adds the flag that all verbs have. */
export function addJson(command: Command): Command {
  return command.option('--json', 'print one JSON object a line: what happens, and the result');
}

/** What commander has read, apart: what is the library's, and what is the command's own. */
export function optionsFrom<O extends Common>(given: O) {
  const { criu, json, deadline, gracePeriod, ...own } = given;
  return {
    json: json === true,
    client: defined({ path: criu }),
    limits: defined({ deadlineMs: deadline, gracePeriodMs: gracePeriod }),
    own: withTls(own),
  };
}

/** Those options that were given. */
export function defined<O extends object>(
  options: O,
): { readonly [K in keyof O]?: Exclude<O[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof O]?: Exclude<O[K], undefined> };
}

/** At the last `=`: names, as `tty[1:2]` and paths, have more of them than values. */
function halves(text: string): [string, string] {
  const at = text.lastIndexOf('=');
  if (at === -1) throw malformed();
  return [text.slice(0, at), text.slice(at + 1)];
}

function malformed(): InvalidArgumentError {
  return new InvalidArgumentError('It has another form.');
}

function isNumber(text: string): boolean {
  return /^(\d+|0x[\da-f]+)$/i.test(text);
}

function numberOr(text: string): number | string {
  return isNumber(text) ? Number(text) : text;
}
