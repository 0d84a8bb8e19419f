import { fstatSync, openSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { native } from '../../src/native/index.ts';
import { openStatusFd, type StatusFd } from '../../src/operations/status-fd.ts';
import { closeAfterTest, pipe } from '../helpers/descriptors.ts';
import { failureOf } from '../helpers/failures.ts';

/** What has come through a pipe: bytes, or undefined while its other end is open and silent. */
function receivedFrom(fd: number): Buffer | undefined {
  const buffer = Buffer.alloc(16);
  try {
    return buffer.subarray(0, readSync(fd, buffer));
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAGAIN' });
    return undefined;
  }
}

const open = async (fd: number) => (await openStatusFd('dump', fd)) as StatusFd;

test('without a descriptor there is nothing to do', async () => {
  expect(await openStatusFd('dump', undefined)).toBeUndefined();
});

test('a zero byte is written when the lazy page server is ready, and then it is closed', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  await status.onNotification({ script: 'pre-dump' }, []);
  expect(receivedFrom(reader)).toBeUndefined();
  await status.onNotification({ script: 'status-ready' }, []);
  expect(receivedFrom(reader)).toEqual(Buffer.from([0]));
  expect(receivedFrom(reader)).toEqual(Buffer.alloc(0));
});

test('it is closed once, so that nobody else’s descriptor is', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  await status.onNotification({ script: 'status-ready' }, []);
  // The lowest number that is free: the one that was just closed, or one below.
  const others = Array.from({ length: 3 }, () => openSync('/dev/null', 'r'));
  for (const fd of others) closeAfterTest(fd);
  await status[Symbol.asyncDispose]();
  await status[Symbol.asyncDispose]();
  for (const fd of others) expect(fstatSync(fd).isCharacterDevice()).toBe(true);
  expect(receivedFrom(reader)).toEqual(Buffer.from([0]));
});

test('if the server never gets ready, who waits sees the end and no byte', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  await status[Symbol.asyncDispose]();
  expect(receivedFrom(reader)).toEqual(Buffer.alloc(0));
});

test('if nobody reads, the hook fails, and the descriptor is closed all the same', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  native().close(reader);
  await expect(status.onNotification({ script: 'status-ready' }, [])).rejects.toMatchObject({
    code: 'EPIPE',
  });
  await status[Symbol.asyncDispose]();
});

test('what nothing can be written to is refused, and left open', async () => {
  const [reader] = pipe();
  for (const fd of [reader, 0x7ffffff0]) {
    expect(await failureOf(openStatusFd('dump', fd))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      operation: 'dump',
      option: 'statusFd',
      message: `dump: statusFd takes a descriptor that is open for writing, not ${fd}`,
    });
  }
  expect(fstatSync(reader).isFIFO()).toBe(true);
});
