import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RateLimit } from '../../src/concurrency/rate-limit.ts';
import { PagePump } from '../../src/migration/protocol/page-pump.ts';
import { native, type Pump } from '../../src/native/index.ts';
import { connection, readBytes } from '../helpers/sockets.ts';

vi.mock('../../src/native/index.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/native/index.ts')>();
  const addon = original.native();
  const pump: typeof addon.pump = (...request) => slowToLook(addon.pump(...request));
  return { ...original, native: () => ({ ...addon, pump }) };
});

/** More has arrived by the time the caller learns of the state. */
function slowToLook(pump: Pump): Pump {
  return {
    state: () => {
      const seen = pump.state();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      return seen;
    },
    limitSending: (...limits) => pump.limitSending(...limits),
    limitReceiving: (...limits) => pump.limitReceiving(...limits),
    stop: () => pump.stop(),
  };
}

// In a migration this was a matter of microseconds.
test('what arrives during a look at the state is charged to the limit, which allows the next portion', async () => {
  const [peer, remote] = await connection();
  const [localFd, criuFd] = native().streamPair(1 << 20);
  onTestFinished(() => native().close(criuFd));
  const carrier = new PagePump(localFd, remote, { receiveLimit: new RateLimit(16 << 20) });
  const cat = spawn('cat', { stdio: [criuFd, criuFd, 'inherit'] });
  const exited = once(cat, 'exit');
  onTestFinished(async () => {
    carrier.close();
    await Promise.all([carrier.ended, exited]);
  });

  const echoed = readBytes(peer, 8 << 20);
  peer.write(Buffer.alloc(8 << 20));
  expect((await echoed).length).toBe(8 << 20);
});
