import { constants, release } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Cancellation } from '../../src/concurrency/cancellation.ts';
import { CriuError, type CriuLog, type WorkloadState } from '../../src/errors.ts';
import type { Evidence } from '../../src/failure/cause.ts';
import { brokenOff, failureOf, hasSucceeded, withoutState } from '../../src/failure/failure.ts';
import { failsAtSockets } from '../../src/failure/old-criu.ts';
import { migrationError } from '../../src/migration/source/failures.ts';
import type { CriuResponse } from '../../src/protocol/messages.ts';
import type { Refusal } from '../../src/protocol/session.ts';

const succeeded: CriuResponse = { type: 'DUMP', success: true };
const failed: CriuResponse = { type: 'DUMP', success: false };
const eof = new CriuError('ERR_CRIU_EOF', 'criu ended without a reply');
const ofDump: Evidence = {
  operation: 'dump',
  label: 'dump of process 12',
  remains: { exit: { code: 1, signal: null }, stderr: '' },
};
const ofRestore: Evidence = { ...ofDump, operation: 'restore', label: 'restore' };
const logOf = (...errors: string[]): CriuLog => ({ path: '/w/dump.log', errors });
const stderrOf = (...errors: string[]) => ({
  ...ofDump.remains,
  stderr: errors.map((error) => `(00.01) 12: Error (criu/x.c:1): ${error}\n`).join(''),
});
const ofRlimit = "rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted";

/** The error of a reply of failure. */
function errorOf(reply: Partial<CriuResponse>, evidence: Partial<Evidence> = {}): CriuError {
  return failureOf(
    { reply: { ...failed, ...reply }, refusal: undefined },
    { ...ofDump, ...evidence },
  );
}

/** The error of a refusal, with the reply that CRIU then gave. */
function errorOfRefusal(refusal: Refusal, reply: CriuResponse, evidence: Partial<Evidence> = {}) {
  return failureOf({ reply, refusal }, { ...ofDump, ...evidence });
}

test('an operation has succeeded if CRIU says so, unless a hook threw', () => {
  const refusal = { script: 'post-resume', cause: new Error('mine') };
  expect(hasSucceeded({ reply: succeeded, refusal: undefined }, undefined)).toBe(true);
  expect(hasSucceeded({ reply: failed, refusal: undefined }, undefined)).toBe(false);
  expect(hasSucceeded({ reply: succeeded, refusal }, undefined)).toBe(false);
});

test('a line that CRIU has cut is no cause beside a whole one', () => {
  const { stderr } = stderrOf('tun: Unable to create tun: Operation timed out');
  const cut = `${stderr}(00.01) 12: Error (criu/kerndat.c:1601): Unable create a network na`;
  expect(errorOf({}, { remains: { ...ofDump.remains, stderr: cut } }).message).toContain(
    'Unable to create tun',
  );
  expect(
    errorOf({}, { remains: { ...ofDump.remains, stderr: cut.slice(stderr.length) } }).message,
  ).toContain('Unable create a network na');
});

describe('the cause in the message', () => {
  test.each<[string, Partial<CriuResponse>, Partial<Evidence>, string]>([
    [
      'is the last error of the log that means something, not cr_errmsg',
      { cr_errmsg: ofRlimit },
      { log: logOf(ofRlimit, 'first', "Can't dump it", 'Dumping FAILED.') },
      "Can't dump it",
    ],
    [
      'is not what CRIU says in passing of memory that is new since the parent image',
      {},
      {
        log: logOf(
          "Can't dump it",
          'page-xfer: No parent image found, though parent directory is set: No such file or directory',
          'Dumping FAILED.',
        ),
      },
      "Can't dump it",
    ],
    [
      'is in standard error if there is no log',
      { cr_errmsg: 'other' },
      { remains: stderrOf("Can't open log", 'Dumping FAILED.') },
      "Can't open log",
    ],
    [
      'is in the log rather than in standard error',
      {},
      { log: logOf('in the log'), remains: stderrOf('on standard error') },
      'in the log',
    ],
    [
      'is in standard error if the log only sums up',
      {},
      { log: logOf('Dumping FAILED.'), remains: stderrOf('on standard error') },
      'on standard error',
    ],
    [
      'is what a probe of the kernel met, not that it failed, also if that line is cut off',
      {},
      {
        remains: stderrOf(
          'Unable create a network namespace: Operation not permitted',
          "Can't wait or bad status: errno=0, status=256",
          'kerndat_has_nftables_concat failed when',
        ),
      },
      'Unable create a network namespace: Operation not permitted',
    ],
    [
      'is what one process met, not that the others then failed',
      {},
      {
        log: logOf(
          'cg: No set 1 found',
          'cg: cgroupd: recv req error: Connection reset by peer',
          '12 exited, status=1',
          'exited, status=1',
          'Restoring FAILED.',
          'Killing processes because of failure on restore.',
          '11 killed by signal 9: Killed',
        ),
      },
      'cg: No set 1 found',
    ],
    [
      'is the namespace, not that it has no id',
      {},
      { log: logOf("Can't dump nested uts namespace for 13", "Can't make utsns id") },
      "Can't dump nested uts namespace for 13",
    ],
    [
      'is what kept the parasite out, not that it was',
      {},
      {
        log: logOf(
          "Can't block signals for 13",
          "Can't infect (pid: 13) with parasite",
          'Dumping FAILED.',
        ),
      },
      "Can't block signals for 13",
    ],
    [
      'is what the parasite met, not that its answer is missing',
      {},
      {
        log: logOf(
          "can't dump unprivileged task whose /proc doesn't belong to it",
          "Can't get /proc fd",
          "Can't retrieve FD from socket",
          'Message reply from daemon is trimmed (12/0)',
          "Can't get proc fd (pid: 12)",
        ),
      },
      "can't dump unprivileged task whose /proc doesn't belong to it",
    ],
    [
      'is the missing file, not the mapping that needs it',
      {},
      { log: logOf("Can't open file /a on restore: No such file", "`- Can't open vma") },
      "Can't open file /a on restore: No such file",
    ],
    [
      'is a summary if there is nothing else',
      {},
      { log: logOf('Dumping FAILED.') },
      'Dumping FAILED.',
    ],
    ['is cr_errmsg if criu wrote nothing', { cr_errmsg: 'of CRIU\n' }, {}, 'of CRIU'],
    [
      'is the errno if there are no words',
      { cr_errno: 22, cr_errmsg: '' },
      {},
      'criu gave no reason (errno 22)',
    ],
  ])('%s', (_what, reply, evidence, cause) => {
    expect(errorOf(reply, evidence).message).toBe(`dump of process 12: ${cause}`);
  });

  test.each([
    ['Connected TCP socket, consider using --tcp-established option.', 'tcpEstablished'],
    ['External socket is used. Consider using --ext-unix-sk option.', 'externalUnixConnections'],
    [
      'Some file locks are hold by dumping tasks! You can try --file-locks to dump them.',
      'fileLocks',
    ],
  ])('names our option for that of the command line: %s', (line, option) => {
    expect(errorOf({}, { log: logOf(line) }).message).toMatch(`${line} [option ${option}]`);
  });

  test('names the process that uses a pid', () => {
    const describePid = (pid: number) => `process ${pid} (busy)`;
    const log = logOf("Can't fork for 12: File exists", 'Restoring FAILED.');
    expect(errorOf({}, { ...ofRestore, log, describePid }).message).toBe(
      "restore: pid 12 is in use by process 12 (busy): Can't fork for 12: File exists",
    );
  });

  test('names the process that has the terminal whose number is needed', () => {
    const describeTerminal = (index: number) => (index === 24 ? 'process 12 (sshd)' : undefined);
    const ofTerminal = (index: number) => {
      const log = logOf(`tty: Can't open master pty 0x4 (index ${index})`, 'Restoring FAILED.');
      return errorOf({}, { ...ofRestore, log, describeTerminal }).message;
    };
    expect(ofTerminal(24)).toBe(
      "restore: /dev/pts/24 is in use by process 12 (sshd): tty: Can't open master pty 0x4 (index 24)",
    );
    // Its number may be too high for CRIU.
    expect(ofTerminal(80)).toBe("restore: tty: Can't open master pty 0x4 (index 80)");
  });

  test.each(['use --constructor', 'use --images-directory', 'use - -'])(
    'makes up no option: %s',
    (line) => {
      expect(errorOf({}, { log: logOf(line) }).message).toBe(`dump of process 12: ${line}`);
    },
  );
});

describe('the code', () => {
  const { ESRCH, EEXIST } = constants.errno;

  test.each<[string, Partial<CriuResponse>, Partial<Evidence>, string]>([
    ['ESRCH at a dump', { cr_errno: ESRCH }, {}, 'ERR_CRIU_NO_SUCH_PROCESS'],
    [
      'ESRCH of a process that is there',
      { cr_errno: ESRCH },
      { workload: 'running' },
      'ERR_CRIU_FAILED',
    ],
    ['ESRCH at a restore', { cr_errno: ESRCH }, ofRestore, 'ERR_CRIU_FAILED'],
    ['EEXIST at a restore', { cr_errno: EEXIST }, ofRestore, 'ERR_CRIU_PID_BUSY'],
    ['EEXIST at a dump', { cr_errno: EEXIST }, {}, 'ERR_CRIU_FAILED'],
    [
      'another pid than expected',
      {},
      { ...ofRestore, log: logOf('Pid 19 do not match expected 12', 'Restoring FAILED.') },
      'ERR_CRIU_PID_BUSY',
    ],
    [
      'a fork that finds the pid taken',
      {},
      { ...ofRestore, log: logOf("Can't fork for 12: File exists") },
      'ERR_CRIU_PID_BUSY',
    ],
    [
      'missing capabilities',
      {},
      {
        remains: stderrOf(
          'CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE capability:',
        ),
      },
      'ERR_CRIU_NO_PERMISSION',
    ],
    ['anything else', { cr_errno: 1 }, { log: logOf('Broken') }, 'ERR_CRIU_FAILED'],
  ])('tells %s', (_what, reply, evidence, code) => {
    expect(errorOf(reply, evidence).code).toBe(code);
  });
});

test.each<[string, Partial<Evidence>, string, string]>([
  [
    'by a debugger',
    { tracer: { by: 'tracer', pid: 34, name: 'gdb' }, workload: 'stopped' },
    'ERR_CRIU_BUSY',
    'another process traces process 12: its tracer is process 34 (gdb), and it can have only one (the processes are stopped)',
  ],
  [
    'by a dump that has ended it since',
    { refused: true, workload: 'gone' },
    'ERR_CRIU_BUSY',
    'another dump or a debugger traced process 12 (the processes are gone)',
  ],
  [
    'by a dump that has let go of it since',
    { tracer: { by: 'nobody' }, refused: true, workload: 'running' },
    'ERR_CRIU_BUSY',
    'another dump or a debugger traced process 12, and has released it since (the processes run on)',
  ],
  [
    'by the kernel, whose thread it is',
    { tracer: { by: 'kernel' }, refused: true, workload: 'running' },
    'ERR_CRIU_FAILED',
    'process 12 is a thread of the kernel (the processes run on)',
  ],
  [
    'by the law',
    { tracer: { by: 'denied' }, refused: true, workload: 'running' },
    'ERR_CRIU_NO_PERMISSION',
    'this process may not trace process 12 (the processes run on)',
  ],
])('a process that CRIU could not seize is held %s', (_what, evidence, code, text) => {
  const error = errorOf({ cr_errno: constants.errno.ESRCH }, { pid: 12, ...evidence });
  expect(error).toMatchObject({ code, message: `dump of process 12: ${text}` });
});

test('an error has all available details', () => {
  const log = logOf('Broken');
  const remains = { exit: { code: 1, signal: null }, stderr: 'said' };
  const error = errorOf(
    { cr_errno: 5, cr_errmsg: ' first \n' },
    { log, remains, workload: 'running', pid: 12 },
  );
  expect(error).toBeInstanceOf(CriuError);
  expect({ ...error, message: error.message }).toEqual({
    name: 'CriuError',
    code: 'ERR_CRIU_FAILED',
    message: 'dump of process 12: Broken (the processes run on)',
    operation: 'dump',
    errno: 5,
    criuMessage: 'first',
    log,
    stderr: 'said',
    exit: remains.exit,
    workload: 'running',
    pid: 12,
  });
});

test.each<[Evidence, WorkloadState, string]>([
  [ofDump, 'running', 'the processes run on'],
  [ofDump, 'stopped', 'the processes are stopped'],
  [ofDump, 'gone', 'the processes are gone'],
  [ofDump, 'unknown', 'the state of the processes is unknown'],
  [ofRestore, 'running', 'the restored processes run'],
  [ofRestore, 'gone', 'nothing was restored'],
])('the message tells what became of the workload: %o %s', (evidence, workload, text) => {
  const { message } = errorOf({ cr_errmsg: 'x' }, { ...evidence, workload });
  expect(message).toBe(`${evidence.label}: x (${text})`);
});

describe('a hook that threw', () => {
  const cause = new Error('not now');
  const refusal = { script: 'post-dump', cause };

  test('is the cause, whatever error CRIU reports', () => {
    expect(
      errorOfRefusal(refusal, failed, { log: logOf('One of more action scripts failed') }),
    ).toMatchObject({
      code: 'ERR_CRIU_HOOK',
      message: 'dump of process 12: the hook of post-dump threw: not now',
      cause,
      log: { errors: ['One of more action scripts failed'] },
    });
  });

  test('is reported even if CRIU went on and succeeded', () => {
    const error = errorOfRefusal(refusal, succeeded, { workload: 'running' });
    expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', cause, workload: 'running' });
    expect(error.message).toContain('threw: not now; it was too late to roll back');
  });

  test('may throw anything', () => {
    for (const thrown of ['text', undefined, null, 0]) {
      const error = errorOfRefusal({ script: 'pre-dump', cause: thrown }, failed);
      expect(error.message).toContain(`the hook of pre-dump threw: ${thrown}`);
      expect(error.cause).toBe(thrown);
    }
  });
});

describe('a cancelled operation', () => {
  const reason = new Error('enough');

  /** What a cancellation adds to the evidence. */
  function cancelledBy(code: 'ERR_CRIU_ABORTED' | 'ERR_CRIU_TIMEOUT') {
    const cancellation = new Cancellation('dump', { gracePeriodMs: 70 });
    onTestFinished(() => cancellation[Symbol.dispose]());
    cancellation.reason = new CriuError(code, 'cancelled', { cause: reason });
    return { cancellation, refusal: { script: 'pre-dump', cause: cancellation.reason } };
  }
  const texts = {
    ERR_CRIU_ABORTED: 'it was aborted',
    ERR_CRIU_TIMEOUT: 'the deadline passed',
  } as const;

  describe.each(['ERR_CRIU_ABORTED', 'ERR_CRIU_TIMEOUT'] as const)('by %s', (code) => {
    test('reports that CRIU was refused and rolled back', () => {
      const { cancellation, refusal } = cancelledBy(code);
      const error = errorOfRefusal(refusal, failed, { cancellation, log: logOf('x') });
      expect(error).toMatchObject({ code, cancelled: 'refused', cause: reason, operation: 'dump' });
      expect(error.message).toBe(`dump of process 12: ${texts[code]}, and CRIU rolled back`);
    });

    test('reports that criu had to be killed', () => {
      const { cancellation } = cancelledBy(code);
      const remains = { exit: { code: null, signal: 'SIGKILL' }, stderr: '' } as const;
      const error = brokenOff(eof, { ...ofDump, cancellation, remains, workload: 'unknown' });
      expect(error).toMatchObject({
        code,
        cancelled: 'killed',
        cause: reason,
        workload: 'unknown',
      });
      expect(error.message).toContain(`${texts[code]}, and criu had to be killed after 70 ms (`);
    });

    test('does not report a kill if criu ended by itself', () => {
      const { cancellation } = cancelledBy(code);
      const error = brokenOff(eof, { ...ofDump, cancellation });
      expect(error).toMatchObject({ code, cause: reason });
      expect(error).not.toHaveProperty('cancelled');
      expect(error.message).toContain(`${texts[code]}, and criu exited with 1 without a reply`);
    });
  });

  test('succeeds if CRIU completed it nevertheless', () => {
    const { cancellation, refusal } = cancelledBy('ERR_CRIU_ABORTED');
    expect(hasSucceeded({ reply: succeeded, refusal: undefined }, cancellation)).toBe(true);
    expect(hasSucceeded({ reply: succeeded, refusal }, cancellation)).toBe(true);
  });

  test('reports the hook as the cause if the hook threw first', () => {
    const { cancellation } = cancelledBy('ERR_CRIU_ABORTED');
    const refusal = { script: 'pre-dump', cause: new Error('mine') };
    expect(errorOfRefusal(refusal, failed, { cancellation })).toMatchObject({
      code: 'ERR_CRIU_HOOK',
      cause: refusal.cause,
    });
  });

  test('reports CRIU’s own failure if CRIU failed before it was refused', () => {
    const { cancellation } = cancelledBy('ERR_CRIU_ABORTED');
    const error = errorOf({ cr_errmsg: 'own' }, { cancellation });
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED' });
    expect(error).not.toHaveProperty('cancelled');
  });
});

describe('an exchange that ended without a reply', () => {
  test.each<[Evidence['remains'], string]>([
    [{ exit: { code: 255, signal: null }, stderr: '' }, 'criu exited with 255 without a reply'],
    [
      { exit: { code: null, signal: 'SIGSEGV' }, stderr: '' },
      'criu was killed by SIGSEGV without a reply',
    ],
    [stderrOf('BUG at criu/mem.c:46'), 'criu exited with 1 without a reply: BUG at criu/mem.c:46'],
  ])('tells how criu ended: %o', (remains, text) => {
    expect(brokenOff(eof, { ...ofDump, remains })).toMatchObject({
      code: 'ERR_CRIU_EOF',
      message: `dump of process 12: ${text}`,
      exit: remains.exit,
      stderr: remains.stderr,
    });
  });

  test('keeps the message of the session', () => {
    const cause = new Error('EMSGSIZE');
    const error = new CriuError('ERR_CRIU_REQUEST_TOO_LARGE', 'it has 300000 bytes', {
      errno: 90,
      option: 'request',
      cause,
    });
    expect(brokenOff(error, { ...ofDump, workload: 'running' })).toMatchObject({
      code: 'ERR_CRIU_REQUEST_TOO_LARGE',
      message: 'dump of process 12: it has 300000 bytes (the processes run on)',
      errno: 90,
      option: 'request',
      cause,
    });
  });
});

test.each([
  [
    'the log',
    {
      log: logOf(
        'vdso: Unexpected rt vDSO area bounds',
        'kerndat_vdso_fill_symtable failed when initializing kerndat.',
      ),
    },
  ],
  ['the standard error', { remains: stderrOf('vdso: Unexpected rt vDSO area bounds') }],
  ['what CRIU 3.17 writes of it to the standard error', { remains: stderrOf('vdso: U\0\0\0') }],
])(
  'a CRIU that is too old for the kernel says its version, its path and what to install: %s',
  (_, evidence) => {
    const error = errorOf({}, { ...evidence, criu: 'CRIU 3.17.1 (/usr/sbin/criu)' });
    expect(error.code).toBe('ERR_CRIU_TOO_OLD');
    expect(error.message).toBe(
      `dump of process 12: CRIU 3.17.1 (/usr/sbin/criu) is too old for the kernel ${release()}, whose vDSO it does not know; install CRIU 4.2 or newer, from a newer distribution or https://criu.org`,
    );
  },
);

test('a CRIU that reads options of sockets that this kernel refuses is too old for it', () => {
  const log = logOf("sockets: Can't get 1:34 opt: Operation not supported", 'Dumping FAILED.');
  const error = errorOf({}, { log, criu: 'CRIU 4.1.1 (/usr/sbin/criu)' });
  expect(error.code).toBe('ERR_CRIU_TOO_OLD');
  expect(error.message).toBe(
    `dump of process 12: CRIU 4.1.1 (/usr/sbin/criu) is too old for the kernel ${release()}, on which it cannot dump TCP and UDP sockets; install CRIU 4.2 or newer`,
  );
});

test.each([
  [40101, '6.18.44-amd64', true],
  [40101, '6.16.0', true],
  [40101, '7.0.0-rc1', true],
  [40101, '6.12.43+deb13-amd64', false],
  [40200, '6.18.44-amd64', false],
])('CRIU %i fails at sockets on Linux %s: %s', (criu, kernel, expected) => {
  expect(failsAtSockets(criu, kernel)).toBe(expected);
});

test('a message can do without the state of the processes, which a migration tells by itself', () => {
  const withNotes = (leftovers: string[]) =>
    errorOf({}, { log: logOf('no'), workload: 'running', leftovers }).message;
  expect(withoutState(withNotes([]))).toBe('dump of process 12: no');
  expect(withoutState(withNotes(['a rule']))).toBe('dump of process 12: no (what is left: a rule)');
  expect(withoutState('no (really)')).toBe('no (really)');
  const failure = errorOf({}, { log: logOf('no'), workload: 'running' });
  const facts = { id: 'a', pid: 12, phase: 'final-dump', workload: 'running' } as const;
  const { message } = migrationError(failure, {
    ...facts,
    ...{ cancelledBy: undefined, switchBackError: undefined },
  } as unknown as Parameters<typeof migrationError>[1]);
  expect(message).toBe(
    'migration a, phase final-dump: dump of process 12: no (the original runs on)',
  );
});
