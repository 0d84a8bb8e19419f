import { expect, test } from 'vitest';
import type { CriuOpts } from '../../../src/index.ts';
import { client, startCounter, temporaryDirectory } from '../../helpers/workload.ts';

test('a restore accepts the dump options that the criu command accepts in both directions', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const options: CriuOpts = {
    ghostLimit: 1 << 21,
    forceIrmap: true,
    irmapScanPaths: ['/tmp'],
    tcpSkipInFlight: true,
  };
  await criu.dump(counter.pid, { imagesDirectory, ...options });
  await counter.ended;
  const { pid } = await criu.restore({
    imagesDirectory,
    ...options,
    freezeCgroup: '/sys/fs/cgroup/none',
  });
  expect(pid).toBe(counter.pid);
  await counter.countsOn();
});
