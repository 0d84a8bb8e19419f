import { expect, test } from 'vitest';
import { CriuError } from '../../src/errors.ts';
import { daemonFailure } from '../../src/postcopy/lazy-restore-failures.ts';

const restore = new CriuError('ERR_CRIU_ABORTED', 'restore: cancelled', {
  operation: 'restore',
  workload: 'gone',
  log: {
    path: '/images/restore.log',
    errors: ["Can't open file a: No such file or directory", 'Unable to open fd=3 id=0x6'],
  },
});

test.each([
  [
    'of a restore that has failed first is the cause of that',
    'lazyPages: the restore has ended before it was finished',
    "lazyRestore: Can't open file a: No such file or directory (nothing was restored)",
  ],
  [
    'of its own is what it reports',
    'lazyPages: no page has come for 2000 ms',
    'lazyRestore: no page has come for 2000 ms (nothing was restored)',
  ],
])('a failure of the daemon %s', (_, said, message) => {
  const failure = new CriuError('ERR_CRIU_FAILED', said, { operation: 'lazyPages' });
  expect(daemonFailure(failure, restore)).toMatchObject({
    ...{ code: 'ERR_CRIU_FAILED', message, workload: 'gone', cause: failure },
  });
});
