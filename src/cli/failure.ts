import { existsSync } from 'node:fs';
import { CriuError } from '../index.ts';
import { flagOf, isOptionName, withFlags } from './option-names.ts';

/** An error as text: the message, and a line for each finding and leftover. */
export function formatError(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  const lines = [`node-criu: ${messageOf(error, message)}${code ? ` (${code})` : ''}`];
  if (error instanceof CriuError) {
    lines.push(...(error.findings ?? []).map((finding) => `  ${formatFinding(finding)}`));
    lines.push(...(error.leftovers ?? []).map((leftover) => `  left behind: ${leftover}`));
    // The log of a migration is removed with its images.
    if (error.log && existsSync(error.log.path)) lines.push(`  log: ${error.log.path}`);
  }
  return lines.join('\n');
}

/** The properties of an error for `--json`. */
export function errorProperties(error: unknown): object {
  if (!(error instanceof CriuError)) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { code, message };
  }
  const { code, message, operation, option, errno, criuMessage, log } = error;
  const { exit, workload, pid, cancelled, findings, leftovers } = error;
  const process = { exit, workload, pid, cancelled, findings, leftovers };
  return { code, message, operation, option, errno, criuMessage, log, ...process };
}

interface Finding {
  readonly severity?: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly pid?: number;
  readonly remedy?: string;
}

/** A finding of preflight() or verifyImages() as one line. */
export function formatFinding({ severity = 'error', code, pid, message, remedy }: Finding): string {
  const isNamed = pid === undefined || new RegExp(`\\bprocess ${pid}\\b`).test(message);
  const subject = isNamed ? '' : ` process ${pid}:`;
  const sentence = message.replace(/[^.]$/, '$&.');
  return `${severity} ${code}:${subject} ${sentence}${remedy ? ` ${withFlags(remedy)}` : ''}`;
}

/** The message without the name of the method, and with flags in place of options. */
function messageOf(error: unknown, message: string): string {
  if (!(error instanceof CriuError)) return message;
  const method = `${error.operation}: `;
  const rest = message.startsWith(method) ? message.slice(method.length) : message;
  const text = rest.replace(/\bresolveMigration\('([^']+)'\)/, 'node-criu resolve $1');
  const { option = '', operation = '' } = error;
  const flag = (migrations.has(operation) ? flagsOfMigrations : flagsOfTls)[option];
  const isNamed = option !== '' && text.startsWith(option) && (flag || isOptionName(option));
  return withFlags(isNamed ? (flag ?? flagOf(option)) + text.slice(option.length) : text);
}

const migrations: ReadonlySet<string> = new Set(['migrate', 'serveMigrations', 'resolveMigration']);
/** The flags of the options of migrations that differ from the option's name. */
const flagsOfMigrations: Readonly<Record<string, string>> = {
  mode: '--mode',
  directory: '--directory',
  rateLimit: '--rate-limit',
  'tls.ca': '--ca',
  'tls.cert': '--cert',
  'tls.key': '--key',
};

/** The flags of the properties of the option `tls` in other operations. */
const flagsOfTls: Readonly<Record<string, string>> = {
  'tls.ca': '--tls-cacert',
  'tls.crl': '--tls-cacrl',
  'tls.cert': '--tls-cert',
  'tls.key': '--tls-key',
};
