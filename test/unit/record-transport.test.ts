import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { RecordTransport } from '../../src/migration/protocol/record-transport.ts';
import { connection } from '../helpers/sockets.ts';
import { waitFor } from '../helpers/workload.ts';

test('a transport of TLS records reads no more than its reader wants', async () => {
  const [near, far] = await connection();
  const transport = new RecordTransport(far, 'server');
  const size = 16 << 20;
  near.write(
    Buffer.alloc(size, Buffer.concat([Buffer.of(23, 3, 3, 0x40, 0), randomBytes(16_384)])),
  );
  transport.pause();
  transport.read(0);
  await waitFor(() => far.readableLength > 0, 'data arrives');
  const { writableLength } = near;
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  expect(far.bytesRead).toBeLessThan(1 << 20);
  expect(writableLength).toBeGreaterThan(0);
  let length = 0;
  transport.on('data', (data: Buffer) => {
    length += data.length;
  });
  transport.resume();
  const records = Math.floor(size / (5 + 16_384));
  await waitFor(() => length === records * (5 + 16_384), 'all whole records arrive');
});
