import { describe, expect, test } from 'vitest';
import { gratuitousArp, neighbourAdvertisement } from '../../src/netlink/announcement.ts';
import { addressBytes, addressText, contains, parseCidr } from '../../src/netlink/ip-address.ts';
import {
  encodeAttribute,
  encodeMessage,
  parseAttributes,
  parseMessages,
} from '../../src/netlink/message.ts';
import { deleteTable, tablesIn } from '../../src/netlink/nftables.ts';
import { parseInet, parseUnix } from '../../src/netlink/sock-diag.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';

describe('sock_diag', () => {
  const attribute = (type: number, value: Buffer) => {
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + value.length, 0);
    header.writeUInt16LE(type, 2);
    return Buffer.concat([header, value, Buffer.alloc(-value.length & 3)]);
  };
  const number = (...values: number[]) => Buffer.from(new Uint32Array(values).buffer);

  test('parses the name, the peer and the waiting clients of a unix socket', () => {
    const fixed = Buffer.alloc(16);
    fixed.set([1, 1, 10, 0]);
    fixed.writeUInt32LE(77, 4);
    const parts = [
      fixed,
      attribute(0, Buffer.from('\0hidden')),
      attribute(3, number(0, 5)),
      attribute(2, number(78)),
      attribute(4, number(0, 768)),
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
      unread: 768,
    });
  });

  test('parses the addresses of a TCP socket', () => {
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
});

describe('netlink messages', () => {
  test('a packet is split into its messages, each padded to 4 bytes', () => {
    const [one, two] = [encodeMessage(20, 1, Buffer.from('abcde')), encodeMessage(3, 0)];
    const packet = Buffer.concat([one, Buffer.alloc(3), two]);
    expect([...parseMessages(packet)]).toEqual([
      { type: 20, body: Buffer.from('abcde') },
      { type: 3, body: Buffer.alloc(0) },
    ]);
    expect([...parseMessages(Buffer.alloc(32))]).toEqual([]);
  });

  test('attributes are read as they are written', () => {
    const attributes = Buffer.concat([encodeAttribute(1, 'CRIU-12'), encodeAttribute(7, 'x')]);
    expect([...parseAttributes(attributes)]).toEqual([
      [1, Buffer.from('CRIU-12\0')],
      [7, Buffer.from('x\0')],
    ]);
  });

  test('a request that the kernel refuses rejects with its error', async () => {
    const SOCK_DIAG = 4;
    using socket = new NetlinkSocket('sock_diag', SOCK_DIAG, -1);
    // The family 255 does not exist.
    const request = encodeMessage(20, 0x301, Buffer.alloc(24, 255));
    const answers = async () => {
      for await (const _ of socket.dump(request)) expect.unreachable();
    };
    await expect(answers()).rejects.toMatchObject({
      message: expect.stringMatching(/^sock_diag failed with error \d+ \(E\w+\)$/),
      errno: expect.any(Number),
    });
  });
});

test('nftables lists the tables of a network namespace, and deletes a table that is not there', async () => {
  expect(await tablesIn(-1)).toEqual(expect.any(Array));
  await expect(deleteTable(-1, 'CRIU-no-such-table')).resolves.toBeUndefined();
});

describe('addresses', () => {
  test.each([
    ['192.0.2.9/32', { address: '192.0.2.9', prefix: 32 }],
    ['2001:DB8:0:0::9/64', { address: '2001:db8::9', prefix: 64 }],
    ['fd00::ffff:192.0.2.9/128', { address: 'fd00::ffff:c000:209', prefix: 128 }],
    ['::/0', { address: '::', prefix: 0 }],
  ])('%s is parsed and written in its canonical form', (text, cidr) => {
    expect(parseCidr(text)).toEqual(cidr);
    expect(addressText(addressBytes(cidr.address))).toBe(cidr.address);
  });

  test.each([
    '192.0.2.9',
    '192.0.2.9/33',
    '::1/129',
    '192.0.2.9/-1',
    '192.0.2/24',
    'fe80::1%eth0/64',
    '::ffff:192.0.2.9/128',
    ' ::1/128',
    '/0',
  ])('%j is no address with a prefix', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  test('a network contains its addresses, of its own family only', () => {
    const network = { address: '192.0.2.5', prefix: 24 };
    expect(contains(network, '192.0.2.255')).toBe(true);
    expect(contains(network, '192.0.3.0')).toBe(false);
    expect(contains({ address: '::', prefix: 0 }, '192.0.2.9')).toBe(false);
    expect(contains({ address: 'fd00::', prefix: 8 }, 'fdff::1')).toBe(true);
  });

  test('announcements are an ARP request for the address itself, and a neighbour advertisement', () => {
    const hardware = Buffer.from('020000000001', 'hex');
    expect(gratuitousArp(hardware, addressBytes('192.0.2.9')).toString('hex')).toBe(
      'ffffffffffff0200000000010806' + '0001080006040001020000000001c0000209000000000000c0000209',
    );
    const advertisement = neighbourAdvertisement(hardware, addressBytes('fd00::9'));
    expect(advertisement.toString('hex')).toBe(
      '33330000000102000000000186dd' +
        '6000000000203aff' +
        'fd000000000000000000000000000009' +
        'ff020000000000000000000000000001' +
        '88005a8b20000000' +
        'fd000000000000000000000000000009' +
        '0201020000000001',
    );
  });
});
