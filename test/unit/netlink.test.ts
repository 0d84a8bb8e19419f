import { describe, expect, test } from 'vitest';
import { parseInet, parseMessages, parseUnix } from '../../src/netlink/sock-diag.ts';

describe('sockets as the kernel tells of them', () => {
  const attribute = (type: number, value: Buffer) => {
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + value.length, 0);
    header.writeUInt16LE(type, 2);
    return Buffer.concat([header, value, Buffer.alloc(-value.length & 3)]);
  };
  const number = (...values: number[]) => Buffer.from(new Uint32Array(values).buffer);

  test('a unix socket is read with its name, its peer and who waits', () => {
    const fixed = Buffer.alloc(16);
    fixed.set([1, 1, 10, 0]);
    fixed.writeUInt32LE(77, 4);
    const parts = [
      fixed,
      attribute(0, Buffer.from('\0hidden')),
      attribute(3, number(0, 5)),
      attribute(2, number(78)),
    ];
    expect(parseUnix(Buffer.concat(parts))).toEqual({
      inode: 77,
      family: 'unix',
      type: 'stream',
      state: 10,
      name: '@hidden',
      peer: 78,
      waiting: [0, 5],
      queued: 0,
    });
  });

  test('a TCP socket is read with its addresses', () => {
    const body = Buffer.alloc(72);
    body.set([2, 1]);
    body.writeUInt16BE(80, 4);
    body.writeUInt16BE(4000, 6);
    body.set([127, 0, 0, 1], 8);
    body.set([10, 0, 0, 2], 24);
    body.writeUInt32LE(3, 56);
    body.writeUInt32LE(99, 68);
    expect(parseInet(body)).toMatchObject({
      inode: 99,
      state: 1,
      name: '127.0.0.1:80 to 10.0.0.2:4000',
      queued: 3,
    });
    const v6 = Buffer.alloc(72);
    v6.set([10, 10]);
    v6.writeUInt16BE(443, 4);
    v6[23] = 1;
    expect(parseInet(v6)).toMatchObject({ state: 10, name: '[::1]:443' });
  });

  test('an answer ends, and an error is thrown', () => {
    const message = (type: number, body: Buffer) => {
      const header = Buffer.alloc(16);
      header.writeUInt32LE(16 + body.length, 0);
      header.writeUInt16LE(type, 4);
      return Buffer.concat([header, body]);
    };
    const seen: number[] = [];
    const use = (body: Buffer) => void seen.push(body.length);
    const part = message(20, Buffer.alloc(8));
    expect(parseMessages(Buffer.concat([part, part]), use)).toBe(false);
    expect(parseMessages(Buffer.concat([part, message(3, Buffer.alloc(4)), part]), use)).toBe(true);
    expect(seen).toEqual([8, 8, 8]);
    expect(() => parseMessages(message(2, Buffer.from(new Int32Array([-1]).buffer)), use)).toThrow(
      'error 1',
    );
  });
});
