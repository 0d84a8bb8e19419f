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

test('a line does not list all of 40 findings', () => {
  const findings = Array.from({ length: 40 }, (_, index) => connection(5, 3 + index));
  const [line, ...others] = formatFindings(findings);
  expect(others).toEqual([]);
  expect(line).toContain('; 39 more of this kind (descriptor 4, ');
  expect(line).toContain('descriptor 11, …)');
});
