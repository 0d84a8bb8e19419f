import { expect, test } from 'vitest';
import { streamingCriuPath } from '../../../scripts/criu-path.mjs';
import { startExample } from '../../helpers/example.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { startS3 } from '../../helpers/s3-server.ts';

test('a checkpoint goes to S3-compatible storage and comes back; the process runs on if it cannot', async () => {
  const storage = await startS3();
  const env = {
    CRIU_PATH: streamingCriuPath(),
    CHECKPOINT_KEY: 'ab'.repeat(32),
    ...{ AWS_REGION: 'none', AWS_ENDPOINT_URL: storage.url, AWS_MAX_ATTEMPTS: '1' },
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' },
    // Only the storage of AWS itself decodes what the SDK otherwise sends.
    AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
  };
  const workload = await startMemoryWorkload({ heapMiB: 32, hotMiB: 1, pagesPerSecond: 100 });
  const run = (...args: (string | number)[]) => startExample('s3-checkpoint.js', args, { env });

  storage.maxParts = 1;
  const refused = await run('save', workload.pid, 'bucket', 'app');
  expect((await refused.ended).code).toBe(1);
  await workload.verifyOriginal();
  expect(storage.objects.size).toBe(0);

  storage.maxParts = Number.POSITIVE_INFINITY;
  const saved = await run('save', workload.pid, 'bucket', 'app');
  await saved.prints(/stored process \d+: frozen for \d+ ms/);
  expect((await saved.ended).code).toBe(0);
  expect([...storage.objects.keys()]).toEqual(['/bucket/app']);
  const restored = await run('restore', 'bucket', 'app');
  await restored.prints(new RegExp(`restored process ${workload.pid}\n`));
  await workload.verify();
  await workload.writesOn();
});
