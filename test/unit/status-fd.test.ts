import { fstatSync, openSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { native } from '../../src/native/index.ts';
import { openStatusFd, type StatusFd } from '../../src/operations/status-fd.ts';
import { closeAfterTest, pipe } from '../helpers/descriptors.ts';
import { failureOf } from '../helpers/failures.ts';

/** The bytes received through a pipe, or undefined while the other end is open and has sent nothing. */
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

test('the descriptor gets a zero byte when the lazy page server is ready, and is then closed', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  await status.onNotification({ script: 'pre-dump' }, []);
  expect(receivedFrom(reader)).toBeUndefined();
  await status.onNotification({ script: 'status-ready' }, []);
  expect(receivedFrom(reader)).toEqual(Buffer.from([0]));
  expect(receivedFrom(reader)).toEqual(Buffer.alloc(0));
});

test('the descriptor is closed only once, so that a reused number stays open', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  await status.onNotification({ script: 'status-ready' }, []);
  // The kernel uses the lowest free number: the one that was just closed, or a lower one.
  const others = Array.from({ length: 3 }, () => openSync('/dev/null', 'r'));
  for (const fd of others) closeAfterTest(fd);
  await status[Symbol.asyncDispose]();
  await status[Symbol.asyncDispose]();
  for (const fd of others) expect(fstatSync(fd).isCharacterDevice()).toBe(true);
  expect(receivedFrom(reader)).toEqual(Buffer.from([0]));
});

test('if the server never becomes ready, the reader sees the end and no byte', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  await status[Symbol.asyncDispose]();
  expect(receivedFrom(reader)).toEqual(Buffer.alloc(0));
});

test('if the reading end is closed, the handler fails and the descriptor is closed', async () => {
  const [reader, writer] = pipe();
  const status = await open(writer);
  native().close(reader);
  await expect(status.onNotification({ script: 'status-ready' }, [])).rejects.toMatchObject({
    code: 'EPIPE',
  });
  await status[Symbol.asyncDispose]();
});

test('a descriptor that is not writable is refused and stays open', async () => {
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
