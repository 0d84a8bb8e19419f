import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { stats_entry } from '../../src/generated/images/stats.ts';
import * as messages from '../../src/generated/messages.ts';
import { decode } from '../../src/protobuf/decode.ts';
import type { MessageType } from '../../src/protobuf/message-type.ts';
import { type CriuRequest, decodeResponse, encodeRequest } from '../../src/protocol/messages.ts';
import { messageOf } from '../helpers/arbitraries.ts';
import { imageTables } from '../helpers/image-tables.ts';
import { sample, testSeed } from '../helpers/sample.ts';
import {
  decodeMessage,
  decodeRequest,
  definitions,
  encodeMessage,
  encodeResponse,
} from '../helpers/wire.ts';

const types: Readonly<Record<string, MessageType>> = { ...messages, ...imageTables };
const options = definitions.lookupType('criu_opts').fieldsArray;
const requestTypes = Object.keys(definitions.lookupEnum('criu_req_type').values);

/** Values of a field, including those that a careless codec takes for absent. */
function valuesOf(field: protobuf.Field): unknown[] {
  const single = singleValuesOf(field);
  return field.repeated ? [single.slice(0, 1), [...single, ...single]] : single;
}

function singleValuesOf({ type, resolvedType }: protobuf.Field): unknown[] {
  if (resolvedType instanceof protobuf.Enum) return Object.keys(resolvedType.values);
  if (resolvedType instanceof protobuf.Type) {
    // A message within itself has none of its own.
    const fields = resolvedType.fieldsArray.filter((field) => field.resolvedType !== resolvedType);
    const required = fields.filter((field) => field.required);
    return [valuesAt(fields, 0), valuesAt(required, -1)];
  }
  switch (type) {
    case 'bool':
      return [true, false];
    case 'int32':
    case 'sint32':
      return [1, 0, -1, 127, 128, 0x7fffffff, -0x80000000];
    case 'uint32':
      return [1, 0, 127, 128, 0xffffffff];
    case 'string':
      return ['/dev/null', '', 'mnt[ü]:日本 🧊', 'x'.repeat(5000)];
    case 'int64':
    case 'sint64':
      return [1, 0, -1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];
    case 'fixed64':
    case 'uint64':
      return [1, 0, 2 ** 32, Number.MAX_SAFE_INTEGER];
    case 'bytes':
      return [Buffer.from([0, 0xff]), Buffer.alloc(0)];
    default:
      throw new Error(`no values for ${type}`);
  }
}

const cases = (fields: protobuf.Field[]) =>
  fields.flatMap((field) => valuesOf(field).map((value) => ({ name: field.name, value })));

/** For each field, the value at this index of its values. */
function valuesAt(fields: protobuf.Field[], index: 0 | -1): object {
  return Object.fromEntries(fields.map((field) => [field.name, valuesOf(field).at(index)]));
}

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

function ascii(text: string): string {
  return Buffer.from(text, 'ascii').toString('hex');
}

describe('every field is decoded as it was encoded', () => {
  test.each(requestTypes)('request %s', (type) => {
    const request = { type } as CriuRequest;
    expect(decodeRequest(encodeRequest(request))).toEqual(request);
  });

  test.each(options.map((field) => [field.name, field] as const))('criu_opts.%s', (name, field) => {
    for (const value of valuesOf(field)) {
      const request = {
        type: 'DUMP',
        opts: { images_dir_fd: 7, [name]: value },
      } as CriuRequest;
      expect(decodeRequest(encodeRequest(request))).toEqual(request);
    }
  });

  test('all of criu_opts at once', () => {
    const opts = { images_dir_fd: 7, ...valuesAt(options, -1) };
    const request: CriuRequest = { type: 'RESTORE', opts };
    expect(decodeRequest(encodeRequest(request))).toEqual(request);
  });

  test('the other fields of a request', () => {
    for (const { name, value } of cases(definitions.lookupType('criu_req').fieldsArray)) {
      const request = { type: 'EMPTY', [name]: value } as CriuRequest;
      expect(decodeRequest(encodeRequest(request))).toEqual(request);
    }
  });

  const responseFields = definitions.lookupType('criu_resp').fieldsArray;
  test.each(responseFields.map((field) => [field.name, field] as const))(
    'criu_resp.%s',
    (name, field) => {
      for (const value of valuesOf(field)) {
        const response = { type: 'DUMP', success: true, [name]: value };
        expect(decodeResponse(encodeResponse(response as never))).toEqual(response);
      }
    },
  );

  test.each(Object.entries(types))('%s', (name, type) => {
    const fields = definitions.lookupType(name).fieldsArray;
    const least = fields.filter(({ required }) => required);
    for (const { name: field, value } of cases(fields)) {
      const given = { ...valuesAt(least, 0), [field]: value };
      expect(decode<unknown>(type, encodeMessage(name, given))).toEqual(given);
    }
  });

  test('a request of 200 KiB', () => {
    const external = Array.from({ length: 800 }, (_, i) => `mnt[${'d'.repeat(240)}]:${i}`);
    const request: CriuRequest = { type: 'DUMP', opts: { images_dir_fd: 3, external } };
    const bytes = encodeRequest(request);
    expect(bytes.length).toBeGreaterThan(200 * 1000);
    expect(decodeRequest(bytes)).toEqual(request);
  });

  test('a response of 200 KiB', () => {
    const response = { type: 'DUMP', success: false, cr_errmsg: 'e'.repeat(200 * 1024) } as const;
    expect(decodeResponse(encodeResponse(response))).toEqual(response);
  });

  test('bytes that are a window of a larger buffer', () => {
    const packet = Buffer.concat([hex('ff'), hex('08 0a 10 01'), hex('ff')]);
    expect(decodeResponse(packet.subarray(1, 5))).toEqual({ type: 'VERSION', success: true });
  });
});

describe('the bytes match the protobuf specification', () => {
  test.each<[string, CriuRequest, string]>([
    ['VERSION', { type: 'VERSION' }, '08 0a'],
    ['an acknowledgement', { type: 'NOTIFY', notify_success: true }, '08 06  18 01'],
    ['a refusal', { type: 'NOTIFY', notify_success: false }, '08 06  18 00'],
    [
      'a dump',
      {
        type: 'DUMP',
        opts: { images_dir_fd: 5, pid: 300, leave_running: true, log_file: 'd.log' },
      },
      `08 01  12 0e  08 05  10 ac02  18 01  52 05 ${ascii('d.log')}`,
    ],
    [
      'negative numbers, enums and fields above 15',
      {
        type: 'SINGLE_PRE_DUMP',
        opts: { images_dir_fd: -1, network_lock: 'SKIP', images_dir: '/i', stream: false },
      },
      `08 0d  12 16  08 ffffffffffffffffff01  8004 03  a204 02 ${ascii('/i')}  f004 00`,
    ],
    [
      'messages in lists',
      {
        type: 'RESTORE',
        opts: {
          images_dir_fd: 3,
          inherit_fd: [
            { key: 'a', fd: 4 },
            { key: 'b', fd: 5 },
          ],
        },
      },
      '08 02  12 12  08 03  da01 05 0a0161 1004  da01 05 0a0162 1005',
    ],
  ])('request: %s', (_, request, bytes) => {
    expect(Buffer.from(encodeRequest(request)).toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  test.each([
    [
      'a version',
      '08 0a  10 01  52 06  08 04  10 02  20 01',
      {
        type: 'VERSION',
        success: true,
        version: { major_number: 4, minor_number: 2, sublevel: 1 },
      },
    ],
    [
      'a notification',
      `08 06  10 01  2a 0a  0a 08 ${ascii('pre-dump')}`,
      { type: 'NOTIFY', success: true, notify: { script: 'pre-dump' } },
    ],
    [
      'a failure',
      `08 01  10 00  38 03  4a 02 ${ascii('no')}`,
      { type: 'DUMP', success: false, cr_errno: 3, cr_errmsg: 'no' },
    ],
    [
      'fields in another order, with one that we do not know',
      '58 8902  10 01  f206 01ff  08 0b',
      { type: 'WAIT_PID', success: true, status: 265 },
    ],
  ])('response: %s', (_, bytes, response) => {
    expect(decodeResponse(hex(bytes))).toEqual(response);
  });

  test('64-bit statistics are numbers', () => {
    // pages_compared is 2^40, the others 1.
    const bytes = hex('12 0d  08 808080808020  10 01  18 01  20 01');
    expect(decode(stats_entry, bytes).restore).toEqual({
      pages_compared: 2 ** 40,
      pages_skipped_cow: 1,
      forking_time: 1,
      restore_time: 1,
    });
  });
});

describe('encoding fails for a request that CRIU would not read as it is given', () => {
  const dump = (opts: object) => ({ type: 'DUMP', opts: { images_dir_fd: 3, ...opts } });
  test.each<[string, unknown, RegExp]>([
    ['unknown type', { type: 'DUMPP' }, /the field type /],
    ['no type', {}, /the field type /],
    ['no images_dir_fd', { type: 'DUMP', opts: { pid: 1 } }, /opts\.images_dir_fd /],
    ['unknown enum name', dump({ network_lock: 'nftables' }), /opts\.network_lock /],
    ['unknown enum number', dump({ network_lock: 9 }), /opts\.network_lock /],
    ['unknown field', dump({ leaveRunning: true }), /opts\.leaveRunning /],
    ['number for a flag', dump({ leave_running: 1 }), /opts\.leave_running /],
    ['text for a number', dump({ pid: '12' }), /opts\.pid /],
    ['fraction', dump({ pid: 1.5 }), /opts\.pid /],
    ['NaN', dump({ pid: Number.NaN }), /opts\.pid /],
    ['too large for int32', dump({ pid: 2 ** 31 }), /opts\.pid /],
    ['too large for uint32', dump({ ghost_limit: 2 ** 32 }), /opts\.ghost_limit /],
    ['negative uint32', dump({ timeout: -1 }), /opts\.timeout /],
    ['number for text', dump({ log_file: 3 }), /opts\.log_file /],
    ['half a surrogate pair', dump({ log_file: 'a\ud800' }), /opts\.log_file /],
    ['list for text', dump({ log_file: ['a'] }), /opts\.log_file /],
    ['text for a list', dump({ external: 'a' }), /opts\.external /],
    ['number in a list', dump({ external: ['a', 1] }), /opts\.external\.1 /],
    ['missing field in a list', dump({ inherit_fd: [{ key: 'a' }] }), /opts\.inherit_fd\.0\.fd /],
    ['null', dump({ log_file: null }), /opts\.log_file /],
    ['text for a message', dump({ ps: 'a' }), /opts\.ps /],
    ['nothing', undefined, /the request is not an object/],
  ])('%s', (_, request, message) => {
    expect(() => encodeRequest(request as CriuRequest)).toThrow(message);
  });

  test('an empty list counts as absent', () => {
    const opts = { images_dir_fd: 3, external: [] };
    expect(decodeRequest(encodeRequest({ type: 'DUMP', opts }))).toEqual({
      type: 'DUMP',
      opts: { images_dir_fd: 3 },
    });
  });
});

describe('decoding throws for bytes that are not a response', () => {
  test.each([
    ['nothing', '', /missing required 'type'/],
    ['no type', '10 01', /missing required 'type'/],
    ['no success', '08 0a', /missing required 'success'/],
    ['a type of number 99', '08 63  10 01', /missing required 'type'/],
    ['a type of number -1', '08 ffffffffffffffffff01  10 01', /missing required 'type'/],
    ['a type that is text', '0a 01 61  10 01', /missing required 'type'/],
    ['a nested message without its fields', '08 02  10 01  22 00', /missing required 'pid'/],
    ['the end in a number', '08 0a  10 81', /out of range/],
    ['the end in a text', '08 0a  10 01  4a 05 61', /out of range/],
    ['a length beyond the end', '08 0a  10 01  4a ffffffff07', /out of range/],
    ['a length of 2^32 - 1', '08 0a  10 01  4a ffffffff0f', /./],
    ['a nested length beyond the end', '08 0a  10 01  2a 7f 0a 01 61', /out of range/],
    ['a text that leaves its message', '08 06  10 01  2a 03 0a 08 61 61 61', /out of range/],
    ['a number without end', `08 0a  10 ${'ff'.repeat(20)}`, /./],
    ['field number 0', '08 0a  10 01  00 00', /./],
    ['wire type 7', '08 0a  10 01  0f', /invalid wire type/],
    ['an end without a start', '08 0a  10 01  64', /./],
    ['a start without an end', '08 0a  10 01  63', /./],
    ['100000 starts', `08 0a  10 01  ${'63'.repeat(100_000)}`, /max depth/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeResponse(hex(bytes))).toThrow(message);
    expect(() => decodeResponse(hex(bytes))).toThrow(Error);
  });

  test('text that is not UTF-8 is decoded, because paths are bytes', () => {
    expect(decodeResponse(hex('08 01  10 00  4a 02 61ff')).cr_errmsg).toBe('a\ufffd');
  });

  test('a truncated packet throws, unless it ends between two fields', () => {
    const whole = encodeResponse({
      type: 'VERSION',
      success: true,
      ps: { address: '127.0.0.1', port: 40_000 },
      cr_errno: -3,
      cr_errmsg: 'm'.repeat(300),
      version: { major_number: 4, minor_number: 3, gitid: 'v4.3' },
      status: 256,
    });
    let read = 0;
    for (let length = 0; length < whole.length; length++) {
      const part = whole.slice(0, length);
      try {
        expect(encodeResponse(decodeResponse(part))).toEqual(part);
        read++;
      } catch (error) {
        expect(String(error)).toMatch(/out of range|missing required/);
      }
    }
    // After success, ps, cr_errno, cr_errmsg and version.
    expect(read).toBe(5);
  });

  test('decoding random bytes gives a response, or throws', () => {
    let seed = 0x9e3779b9;
    const random = () => {
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      return seed >>> 0;
    };
    let thrown = 0;
    const rounds = sample('random packets', 20_000, 2000);
    for (let round = 0; round < rounds; round++) {
      const noise = Buffer.from(Array.from({ length: random() % 64 }, () => random() & 0xff));
      // Half of them begin with a valid field; otherwise most would fail at the first one.
      const bytes = round % 2 === 0 ? noise : Buffer.concat([hex('08 01  10 01'), noise]);
      try {
        const response = decodeResponse(bytes);
        expect(requestTypes).toContain(response.type);
        expect(typeof response.success).toBe('boolean');
      } catch (error) {
        thrown++;
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).name).not.toBe('AssertionError');
      }
    }
    expect(thrown).toBeGreaterThan(rounds * 0.75);
  });
});

describe('messages are decoded as protobufjs decodes them', () => {
  test.each([
    [
      'a list in one piece',
      'pstree_entry',
      '08 01  10 01  18 01  20 01  2a 03 01 ac02  28 05  2a 00',
    ],
    ['an empty list in one piece', 'pstree_entry', '08 01  10 01  18 01  20 01  2a 00'],
    [
      'a message in two pieces',
      'inventory_entry',
      '08 02  1a 08 08 01 10 05 18 02 20 03  1a 04 10 06 28 07',
    ],
    ['the last of several values', 'criu_version', '08 01  10 01  08 02'],
    ['a number of 64 bits for 32', 'pagemap_head', '08 8180808010'],
    ['a negative number for an unsigned one', 'pagemap_head', '08 ffffffffffffffffff01'],
    ['2^64 - 1', 'pagemap_entry', '08 ffffffffffffffffff01  10 01'],
    ['a flag of 64 bits', 'criu_dump_resp', '08 80808080808080808001'],
    ['other wire types', 'criu_notify', '0d 01020304  09 0102030405060708  08 01  12 01 61'],
    ['groups in groups', 'criu_notify', '63 6b 08 01 0a 01 61 6c 64  10 05'],
  ])('%s', (_, name, bytes) => {
    expect(decode(typeOf(name), hex(bytes))).toEqual(decodeMessage(name, hex(bytes)));
  });

  test('any message, also if it has been modified', () => {
    const property = fc.property(anyMessage, changes, ({ name, bytes }, places) => {
      for (const [place, byte] of places) bytes[place % bytes.length] = byte;
      const read = [() => decode(typeOf(name), bytes), () => decodeMessage(name, bytes)].map(
        result,
      );
      expect(read[0]).toEqual(read[1]);
    });
    fc.assert(property, {
      seed: testSeed(20_261_128),
      numRuns: sample('modified messages', 20_000, 2000),
    });
  });

  const anyMessage = fc.constantFrom(...Object.keys(types)).chain((name) =>
    messageOf(name).map((message) => ({
      name,
      bytes: Buffer.from(encodeMessage(name, message)),
    })),
  );
  const changes = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 2 });

  function typeOf(name: string): MessageType {
    return types[name] as MessageType;
  }

  function result(read: () => unknown): unknown {
    try {
      return read();
    } catch {
      return 'refused';
    }
  }
});
