import { expect, test, vi } from 'vitest';
import { formatError, formatFindings } from '../../src/cli/failure.ts';
import { withFlags } from '../../src/cli/wording.ts';
import { CriuError } from '../../src/errors.ts';
import type { PreflightFinding } from '../../src/finding.ts';

// vitest sets it.
vi.stubEnv('FORCE_COLOR', undefined);

test.each([
  [
    'Make a full dump, without preDump, parentImage and trackMem.',
    'Make a full dump, without --pre-dump, --parent-image and --track-mem.',
  ],
  [
    'Set shellJob for the dump and the restore, or add tty[1:2] to external.',
    "Give --shell-job to the dump and the restore, or give --external 'tty[1:2]'.",
  ],
  [
    "Add unix[7] to external, and pass a replacement to the restore as inheritFd['socket:[7]'].",
    "Give --external 'unix[7]', and pass a replacement to the restore as --inherit-fd 'socket:[7]=FD'.",
  ],
  ['To dump it all the same, set force: true.', 'To dump it all the same, give --force.'],
  ['Set unprivileged, or run as root.', 'Give --unprivileged, or run as root.'],
  ['Install criu, or set the option path.', 'Install criu, or give --criu.'],
  [
    'install criu, or name it by the option path or by CRIU_PATH',
    'install criu, or name it with --criu or CRIU_PATH',
  ],
  ['use lazyRestore, which starts one', 'use node-criu lazy-restore, which starts one'],
  [
    'consider using --tcp-established option. [option tcpEstablished] (the processes run on)',
    'consider using --tcp-established option. (the processes run on)',
  ],
  [
    'Consider using --ext-unix-sk option. [option externalUnixConnections]',
    'Consider using --ext-unix-sk option. [option --external-unix-connections]',
  ],
  [
    "external takes an array of non-empty strings, not [ '' ]",
    "external takes non-empty strings, not ''",
  ],
  [
    "takes an array of 'ADDRESS/PREFIX' or { address: 'ADDRESS/PREFIX', device? }, the device not lo, not [ { address: 'foo' } ]",
    'takes ADDRESS/PREFIX or ADDRESS/PREFIX@DEVICE, the device not lo',
  ],
  [
    'Allow it there: allowAddresses of serveMigrations(), or --allow-address of serve.',
    'Allow it there: --allow-address of serve.',
  ],
  [
    'switchOver takes nothing: addresses moves them, not [Function: switchOver]',
    '--switch-over takes nothing: --address moves them',
  ],
  [
    'takes a record of open descriptors: numbers, FileHandles or Sockets, not { foo: 77 }',
    'takes NAME=DESCRIPTOR, the number of an open one',
  ],
  [
    "takes an array of { ns: 'ipc' | 'net', nsFile: path or pid, extraOpt? }, not [ { ns: 'foo', nsFile: 1 } ]",
    "takes KIND:FILE-OR-PID[,MORE], where KIND is 'ipc' | 'net'",
  ],
  ['option stream needs CRIU 4.3.0', '--stream needs CRIU 4.3.0'],
  [
    'of its own, which CRIU restores only with the option root',
    'of its own, which CRIU restores only with --root',
  ],
  ['needs lazyPages: true together with it', 'needs --lazy-pages together with it'],
  [
    'lazyPages needs tls, because others; use lazyDump, which checks that, or set insecure: true',
    '--lazy-pages needs TLS (--tls-cert, --tls-key), because others; give --insecure',
  ],
  [
    "Make it before the restore, or set manageCgroupsMode: 'soft'.",
    'Make it before the restore, or give --manage-cgroups-mode soft.',
  ],
])('the command says %j as %j', (text, expected) => {
  expect(withFlags(text)).toBe(expected);
});

function connection(pid: number, fd: number, code: PreflightFinding['code'] = 'TCP_ESTABLISHED') {
  const message = `descriptor ${fd} of process ${pid} (app) is a TCP connection`;
  return { code, severity: 'error', pid, fd, message, remedy: 'Set tcpEstablished.' } as const;
}

test('findings of one kind are one line', () => {
  const findings = [
    ...[connection(5, 3), connection(5, 4), connection(6, 3)],
    connection(5, 9, 'TCP_IN_FLIGHT'),
  ];
  const lines = [
    'error TCP_ESTABLISHED: descriptor 3 of process 5 (app) is a TCP connection; 2 more of this kind ' +
      '(descriptor 4, descriptor 3 of process 6). Set --tcp-established.',
    'error TCP_IN_FLIGHT: descriptor 9 of process 5 (app) is a TCP connection. Set --tcp-established.',
  ];
  expect(formatFindings(findings)).toEqual(lines);
  const error = new CriuError('ERR_CRIU_FAILED', 'dump of process 5: no', {
    ...{ operation: 'dump', findings },
  });
  const printed = formatError(error).split('\n').slice(1);
  expect(printed).toEqual(lines.map((line) => `  ${line}`));
});

test.each([
  [
    'check',
    'path',
    "path takes a non-empty string, not ''",
    "--criu takes a non-empty string, not ''",
  ],
  ['spawnCheckpointable', 'cwd', 'cwd takes a directory', '--cwd takes a directory'],
  ['migrate', 'addresses', 'addresses takes one', '--address takes one'],
  ['dump', 'root', 'root takes a path', '--root takes a path'],
])('an error of %s about %s names the flag', (operation, option, text, expected) => {
  const message = `${operation}: ${text}`;
  const error = new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
  expect(formatError(error)).toContain(`node-criu: ${expected} (`);
});

test('a line does not list all of 40 findings', () => {
  const findings = Array.from({ length: 40 }, (_, index) => connection(5, 3 + index));
  const [line, ...others] = formatFindings(findings);
  expect(others).toEqual([]);
  expect(line).toContain('; 39 more of this kind (descriptor 4, ');
  expect(line).toContain('descriptor 11, …)');
});
