import { createCipheriv, randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { native, type Pump } from '../../src/native/index.ts';
import { waitFor } from '../helpers/workload.ts';

const [ALERT, HANDSHAKE, DATA] = [21, 22, 23];
const NOT_A_RECORD = 'the peer has sent data that is not a valid record of TLS';
const UNEXPECTED = 'the peer has sent an unexpected message of TLS';
const none = new Uint8Array();

type Seal = (type: number, content: Uint8Array, padding?: number) => Buffer;

const text = (seal: Seal) => seal(DATA, Buffer.from('more'));
const changed = (record: Buffer) =>
  Buffer.concat([record.subarray(0, -2), Buffer.from(record.subarray(-2).map((byte) => byte ^ 1))]);

/** What a peer sends after its first pages, what reaches criu of it, and how the connection ends. */
const endings: readonly [string, (seal: Seal) => Buffer[], string, string | undefined][] = [
  ['data, and an end', (seal) => [text(seal), seal(ALERT, Buffer.of(1, 0))], 'more', undefined],
  ['padded data', (seal) => [seal(DATA, Buffer.from('more'), 99)], 'more', undefined],
  ['a ticket', (seal) => [seal(HANDSHAKE, Buffer.of(4, 0)), text(seal)], 'more', undefined],
  ['half a record', (seal) => [text(seal), text(seal).subarray(0, 9)], 'more', undefined],
  [
    'an alert',
    (seal) => [seal(ALERT, Buffer.of(2, 20)), text(seal)],
    '',
    'the peer reports a failure of TLS',
  ],
  [
    'other keys',
    (seal) => [seal(HANDSHAKE, Buffer.of(24, 0, 0, 1, 0)), text(seal)],
    '',
    UNEXPECTED,
  ],
  ['an unknown type', (seal) => [seal(99, Buffer.of(1)), text(seal)], '', UNEXPECTED],
  ['no type', (seal) => [seal(0, Buffer.alloc(9)), text(seal)], '', NOT_A_RECORD],
  ['too much in a record', (seal) => [seal(DATA, Buffer.alloc(16_385))], '', NOT_A_RECORD],
  ['a record that is too large', (seal) => [seal(DATA, Buffer.alloc(17_000))], '', NOT_A_RECORD],
  ['a changed record', (seal) => [changed(text(seal)), text(seal)], '', NOT_A_RECORD],
  [
    'a record twice',
    (seal) => [text(seal)].flatMap((record) => [record, record]),
    'more',
    NOT_A_RECORD,
  ],
  ['a record too few', (seal) => [text(seal), text(seal)].slice(1), '', NOT_A_RECORD],
  [
    'data that is not encrypted',
    () => [Buffer.from('\x15\x03\x03\x00\x02\x01\x00')],
    '',
    NOT_A_RECORD,
  ],
  [
    'records without data',
    (seal) => Array.from({ length: 40 }, () => seal(DATA, none)),
    '',
    'the peer sends records of TLS without data',
  ],
];

test.each(endings)('a pump whose peer sends %s', async (_name, send, passed, failure) => {
  const { peer, seal, pump, received } = start();
  peer.end(Buffer.concat([seal(DATA, Buffer.from('pages ')), ...send(seal)]));
  await waitFor(() => pump.state().isDone, 'the pump ends');
  await waitFor(() => String(received()) === `pages ${passed}`, 'the pages arrive');
  expect(pump.state().failure).toBe(failure);
});

test('a pump takes no more than it may from a peer that floods it', async () => {
  let events = 0;
  const { peer, seal, pump, received } = start({ limit: 100_000, onEvent: () => events++ });
  for (let i = 0; i < 64; i++) peer.write(seal(DATA, Buffer.alloc(16_384)));
  await waitFor(() => events > 0, 'the limit is reached');
  expect(pump.state().received).toBeLessThan(120_000);
  pump.limitReceiving(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  await waitFor(() => received().length === 64 * 16_384, 'the rest arrives');
});

test('a pump stops though nobody reads or writes', async () => {
  const { peer, seal, pump, criu } = start();
  criu.pause();
  for (let i = 0; i < 64; i++) peer.write(seal(DATA, Buffer.alloc(16_384)));
  await waitFor(() => pump.state().received > 1 << 16, 'the pump waits for its reader');
  pump.stop();
  pump.stop();
  await waitFor(() => pump.state().isDone, 'the pump ends');
  expect(pump.state()).not.toHaveProperty('failure');
});

interface StartOptions {
  readonly limit?: number;
  readonly onEvent?: () => void;
}

/** A pump between a socket in place of criu and one in place of a peer, for which `seal` encrypts. */
function start({ limit = Number.POSITIVE_INFINITY, onEvent = () => {} }: StartOptions = {}) {
  const [local, criuFd] = native().streamPair(1 << 18);
  const [wire, peerFd] = native().streamPair(1 << 18);
  const [criu, peer] = [criuFd, peerFd].map((fd) => {
    native().release(fd);
    const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    return socket.on('error', () => {});
  }) as [Socket, Socket];
  peer.resume();
  const chunks: Buffer[] = [];
  criu.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [key, iv] = [randomBytes(16), randomBytes(12)];
  const receiveKeys = Buffer.concat([key, iv, Buffer.alloc(8)]);
  const sendKeys = randomBytes(36);
  const keys = { cipher: 'aes-128-gcm', sendKeys, receiveKeys };
  const request = { local, peer: wire, early: none, unread: none, ...keys };
  const pump: Pump = native().pump(request, onEvent);
  onTestFinished(() => pump.stop());
  pump.limitSending(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  pump.limitReceiving(limit, limit);
  return { criu, peer, pump, seal: sealer(key, iv), received: () => Buffer.concat(chunks) };
}

/** Encrypts records of TLS 1.3. */
function sealer(key: Buffer, iv: Buffer): Seal {
  let sequence = 0n;
  return (type, content, padding = 0) => {
    const inner = Buffer.concat([content, Buffer.of(type), Buffer.alloc(padding)]);
    const header = Buffer.of(23, 3, 3, 0, 0);
    header.writeUInt16BE(inner.length + 16, 3);
    const nonce = Buffer.from(iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequence++, 4);
    const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(header);
    return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
  };
}
