import { existsSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { CriuError, type PreflightFinding } from '../index.ts';
import { flagOf, isOptionName } from './option-names.ts';
import { asWord } from './shell-command.ts';
import { titled } from './style.ts';
import { wrapped } from './text-layout.ts';
import { withFlags } from './wording.ts';

/** How many lines of a program's standard error are printed. */
const STDERR_LINES = 40;

/** An error as text for standard error: the message, and a line for each finding and leftover. */
export function formatError(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  const { stderr } = process;
  const title = titled('error', 'node-criu:', stderr);
  const text = [`${title} ${messageOf(error, message)}${code ? ` (${code})` : ''}`];
  const lines: string[] = [];
  if (error instanceof CriuError) {
    text.push(...formatFindings(error.findings ?? [], stderr).map((line) => `  ${line}`));
    text.push(...(error.leftovers ?? []).map((leftover) => `  left behind: ${leftover}`));
    if (error.code === 'ERR_CRIU_PROGRAM_ENDED') lines.push(...endOfStderr(error.stderr));
    // The log of a migration is removed with its images.
    if (error.log && existsSync(error.log.path)) lines.push(`  log: ${error.log.path}`);
  }
  return [...text.map((line) => wrapped(line, columnsOf(stderr))), ...lines].join('\n');
}

/** The columns of a terminal; undefined if the stream is none. */
const columnsOf = (stream: NodeJS.WritableStream) => (stream as Partial<WriteStream>).columns;

/** The last lines of a program's standard error, or the command that keeps them if they are lost. */
function endOfStderr(text: string | undefined): string[] {
  if (text === undefined) {
    const given = process.argv.slice(process.argv.indexOf('run') + 1);
    const words = ['node-criu', 'run', '--stderr', 'stderr.log', ...given];
    return [`  to see it, run: ${words.map(asWord).join(' ')}`];
  }
  const lines = text.split('\n').slice(-STDERR_LINES);
  return text === '' ? [] : lines.map((line) => `  stderr: ${line}`);
}

/** The properties of an error for `--json`. */
export function errorProperties(error: unknown): object {
  if (!(error instanceof CriuError)) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { code, message };
  }
  const { code, message, operation, option, errno, criuMessage, log } = error;
  const { exit, stderr, workload, pid, cancelled, findings, leftovers, refusal } = error;
  const process = { exit, stderr, workload, pid, cancelled, findings, leftovers, refusal };
  return { code, message, operation, option, errno, criuMessage, log, ...process };
}

interface Finding {
  readonly severity?: PreflightFinding['severity'];
  readonly code: string;
  readonly message: string;
  readonly pid?: number;
  readonly remedy?: string;
}

/** How many other findings of a group are named. */
const MAX_NAMED = 8;

/** Findings of preflight(), one line for those that differ only in the process and the descriptor. */
export function formatFindings(
  findings: readonly PreflightFinding[],
  stream: NodeJS.WritableStream = process.stdout,
): string[] {
  const groups = new Map<string, PreflightFinding[]>();
  for (const finding of findings) {
    const kind = [finding.severity, finding.code, finding.remedy].join();
    const group = groups.get(kind);
    if (group) group.push(finding);
    else groups.set(kind, [finding]);
  }
  return [...groups.values()].map(([first, ...others]) => {
    const { message, pid } = first as PreflightFinding;
    if (others.length === 0) return formatFinding(first as PreflightFinding, stream);
    const named = [...new Set(others.map((one) => placeOf(one, pid)).filter(Boolean))];
    const places = [...named.slice(0, MAX_NAMED), ...(named.length > MAX_NAMED ? ['…'] : [])];
    const also = `; ${others.length} more of this kind${places.length ? ` (${places.join(', ')})` : ''}`;
    return formatFinding({ ...(first as PreflightFinding), message: `${message}${also}` }, stream);
  });
}

/** `descriptor 5`, and ` of process 12` if that is another one. */
function placeOf({ pid, fd }: PreflightFinding, known: number): string {
  const parts = [fd === undefined ? '' : `descriptor ${fd}`, pid === known ? '' : `process ${pid}`];
  return parts.filter(Boolean).join(' of ');
}

/** A finding of preflight() or verifyImages() as one line. */
export function formatFinding(
  { severity = 'error', code, pid, message, remedy }: Finding,
  stream: NodeJS.WritableStream = process.stdout,
): string {
  const isNamed = pid === undefined || new RegExp(`\\bprocess ${pid}\\b`).test(message);
  const subject = isNamed ? '' : ` process ${pid}:`;
  const sentence = withFlags(message).replace(/[^.]$/, '$&.');
  const title = titled(severity, `${severity} ${code}:`, stream);
  return `${title}${subject} ${sentence}${remedy ? ` ${withFlags(remedy)}` : ''}`;
}

/** Findings as {@link formatFindings} has them, for standard output: broken at spaces if it is a terminal. */
export function printedFindings(lines: readonly string[]): string[] {
  return lines.map((line) => wrapped(line, process.stdout.columns));
}

/** The message without the name of the method, and with flags in place of options. */
function messageOf(error: unknown, message: string): string {
  if (!(error instanceof CriuError)) return message;
  const method = `${error.operation}: `;
  const rest = message.startsWith(method) ? message.slice(method.length) : message;
  const text = rest.replace(/\bresolveMigration\('([^']+)'\)/, 'node-criu resolve $1');
  const { option = '', operation = '' } = error;
  const others =
    flagsOfFleets[operation] ?? (migrations.has(operation) ? flagsOfMigrations : flagsOfTls);
  const flag = flags[option] ?? others[option] ?? flagOfVariable(option);
  const isNamed = option !== '' && text.startsWith(option) && (flag || isOptionName(option));
  return withFlags(isNamed ? (flag ?? flagOf(option)) + text.slice(option.length) : text);
}

/** The flags of options that are not CRIU's, of any operation. */
const flags: Readonly<Record<string, string>> = {
  path: '--criu',
  cwd: '--cwd',
  stdin: '--stdin',
  stdout: '--stdout',
  stderr: '--stderr',
  listen: '--listen',
  paths: '--path',
  target: '--output',
};

/** The flag that changes a variable in images. */
function flagOfVariable(option: string): string | undefined {
  return option.startsWith('environment.') ? option.replace('environment.', '--env ') : undefined;
}

const migrations: ReadonlySet<string> = new Set(['migrate', 'serveMigrations', 'resolveMigration']);
/** The flags of the options of migrations that differ from the option's name. */
const flagsOfMigrations: Readonly<Record<string, string>> = {
  mode: '--mode',
  directory: '--directory',
  rateLimit: '--rate-limit',
  maxMigrations: '--max-migrations',
  maxBandwidth: '--max-bandwidth',
  maxStoredBytes: '--max-stored',
  addresses: '--address',
  allowAddresses: '--allow-address',
  'tls.ca': '--ca',
  'tls.cert': '--cert',
  'tls.key': '--key',
};

/** The flags of the options of a fleet, by operation. */
const flagsOfFleets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Fleet.connect': {
    name: '--fleet',
    'operator.name': '--operator',
    'operator.privateKey': '--key',
  },
  join: {
    ...flagsOfMigrations,
    ...{ name: '--name', labels: '--label', heartbeatMs: '--heartbeat' },
    ...{ 'limits.incoming': '--incoming', 'limits.outgoing': '--outgoing' },
    'limits.bandwidth': '--bandwidth',
  },
  run: {
    ...{ on: '--on', labels: '--label', addresses: '--address', memoryBytes: '--memory' },
    ...{ 'checkpoint.every': '--checkpoint-every', 'checkpoint.keep': '--keep' },
    ...{ 'placement.hostLabels': '--host-label', 'placement.affinity': '--affinity' },
    'placement.antiAffinity': '--anti-affinity',
  },
};

/** The flags of the properties of the option `tls` in other operations. */
const flagsOfTls: Readonly<Record<string, string>> = {
  'tls.ca': '--tls-cacert',
  'tls.crl': '--tls-cacrl',
  'tls.cert': '--tls-cert',
  'tls.key': '--tls-key',
};
