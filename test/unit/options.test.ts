import { readFileSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Criu } from '../../src/criu.ts';
import { OLDEST_CRIU, type Operation, rowOf, table } from '../../src/options/table.ts';
import { translate, withDefaults } from '../../src/options/translate.ts';
import type { CriuOpts, TlsOptions } from '../../src/options/types.ts';
import { failureOf } from '../helpers/failures.ts';
import { cases, fd } from '../helpers/option-cases.ts';
import { connection } from '../helpers/sockets.ts';
import { definitions } from '../helpers/wire.ts';

const operations: readonly Operation[] = [
  'check',
  'dump',
  'preDump',
  'restore',
  'cpuinfoDump',
  'cpuinfoCheck',
  'pageServer',
];

const files = { ca: '/ca', cert: '/cert', key: '/key' };

/** The required options of an operation. */
const needed = (operation: Operation): CriuOpts =>
  operation === 'check' ? {} : { imagesDirectory: '/i' };

const wrong = (operation: string, option: string) => ({
  code: 'ERR_CRIU_INVALID_ARGUMENT',
  operation,
  option,
});

test('every option has test cases', () => {
  expect(Object.keys(cases).sort()).toEqual([...rowOf.keys()].sort());
});

test('the table has every field of criu_opts, in the order of the field numbers', () => {
  const fields = definitions.lookupType('criu_opts').fieldsArray.sort((a, b) => a.id - b.id);
  const inTable = Object.keys(table);
  expect([...inTable].sort()).toEqual(fields.map(({ name }) => name).sort());
  const named = fields.filter(({ name }) => table[name as keyof typeof table].option !== null);
  expect(inTable.filter((name) => table[name as keyof typeof table].option !== null)).toEqual(
    named.map(({ name }) => name),
  );
});

/** A page server takes every certificate of the authority: a client connects from any address. */
const anyClient = { tls_no_cn_verify: true };

describe.each([...rowOf])('option %s', (option, [field, row]) => {
  const { accepted, refused, beside = {}, adds = {} } = cases[option as keyof typeof cases];

  test(`becomes ${field ? `the field ${field}` : 'no field'} in each operation that takes it`, () => {
    for (const operation of row.operations) {
      for (const [given, wire] of accepted) {
        const options = { ...needed(operation), ...beside, [option]: given };
        const { newest, ...translated } = translate(operation, options);
        const expected = {
          ...(operation !== 'pageServer' && adds),
          ...(option === 'tls'
            ? {
                ...(wire as object),
                ...(operation === 'pageServer' && given !== false && anyClient),
              }
            : field && wire !== undefined && { [field]: wire }),
        };
        expect(translated.wire).toEqual(expected);
        expect(newest?.since).toBe(row.since);
        if (row.since > OLDEST_CRIU) expect(newest?.option).toBe(option);
      }
    }
  });

  test('refuses other values, and the error says what it takes', async () => {
    for (const bad of refused) {
      for (const operation of row.operations) {
        const options = { ...needed(operation), ...beside, [option]: bad };
        const error = await failureOf(() => translate(operation, options));
        expect(error).toMatchObject(wrong(operation, option));
        expect(error.message).toContain(`${operation}: ${option} takes ${row.kind.takes}, not `);
        expect(error.message).not.toContain('\n');
      }
      const error = await failureOf(() => new Criu({ defaults: { [option]: bad } }));
      expect(error).toMatchObject(wrong('new Criu', `defaults.${option}`));
    }
  });

  test('is refused by operations that do not take it, with the operations that do', async () => {
    const [[value] = []] = accepted;
    for (const operation of operations.filter((one) => !row.operations.includes(one))) {
      const options = { ...needed(operation), [option]: value };
      const error = await failureOf(() => translate(operation, options));
      expect(error).toMatchObject(wrong(operation, option));
      expect(error.message).toContain(`which is for ${row.operations.join(', ')}`);
    }
  });
});

test('an option that is undefined counts as absent', () => {
  const options: object = { imagesDirectory: '/i', tcpEstablished: undefined };
  expect(translate('dump', options).wire).toEqual({});
});

test.each([
  ['tcp_established', 'tcpEstablished'],
  ['TCPEstablished', 'tcpEstablished'],
  ['rst_sibling', 'asChild'],
  ['images-dir-fd', 'imagesDirectory'],
  ['images_dir', 'imagesDirectory'],
  ['tcpEstablishd', 'tcpEstablished'],
  ['leaveRuning', 'leaveRunning'],
  ['preDump', 'the method checkpoint'],
])('the unknown option %s is refused with the suggestion %s', async (name, meant) => {
  const error = await failureOf(() => translate('dump', { imagesDirectory: '/i', [name]: true }));
  expect(error).toMatchObject(wrong('dump', name));
  expect(error.message).toBe(`dump: there is no option ${name}; did you mean ${meant}?`);
});

test('a name that resembles no option is refused without a suggestion', async () => {
  for (const name of ['verbose', 'toString', '__proto__', 'pid']) {
    const options = Object.fromEntries([
      ['imagesDirectory', '/i'],
      [name, 1],
    ]);
    const error = await failureOf(() => translate('dump', options));
    expect(error.message).toBe(`dump: there is no option ${name}`);
  }
});

test.each<[option: string, tls: object]>([
  ['tls.key', { ca: '/ca', cert: '/cert' }],
  ['tls.ca', { ...files, ca: '' }],
  ['tls.cert', { ...files, cert: 5 }],
  ['tls.crl', { ...files, crl: null }],
  ['tls.key', { ...files, key: '-----BEGIN PRIVATE KEY-----\nAAAA\n' }],
  ['tls.key', { ...files, key: Buffer.from('AAAA') }],
  ['tls.verifyName', { ...files, verifyName: 'no' }],
  ['tls.cacert', { ...files, cacert: '/ca' }],
])('%s is refused in %o, and the error does not quote a key', async (option, tls) => {
  const options = { imagesDirectory: '/i', tls: tls as TlsOptions };
  const error = await failureOf(() => translate('dump', options));
  expect(error).toMatchObject(wrong('dump', option));
  expect(error.message).not.toContain('AAAA');
});

describe('descriptors', () => {
  const inheriting = (inheritFd: NonNullable<CriuOpts['inheritFd']>) =>
    translate('restore', { imagesDirectory: '/i', inheritFd });

  test('have numbers from 4 in criu, whatever their numbers here', () => {
    const given = { a: 2, b: fd, c: 0, d: 2 };
    const { wire, inherited } = inheriting(given);
    expect(inherited).toEqual([
      [4, 2],
      [5, fd],
      [6, 0],
      [7, 2],
    ]);
    expect(wire.inherit_fd).toEqual(
      Object.keys(given).map((key, index) => ({ key, fd: 4 + index })),
    );
  });

  test('can be FileHandles and Sockets of Node.js', async () => {
    await using handle = await open('/dev/null');
    const [socket] = await connection();
    const { inherited } = inheriting({ handle, socket });
    expect(inherited[0]).toEqual([4, handle.fd]);
    const inode = /^socket:\[(\d+)\]$/.exec(
      readlinkSync(`/proc/self/fd/${inherited[1]?.[1]}`),
    )?.[1];
    const port = socket.localPort?.toString(16).toUpperCase().padStart(4, '0');
    const line = readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .find((line) => line.includes(` ${inode} `));
    expect(line).toContain(`:${port} `);
  });

  test('that are closed are refused', async () => {
    const handle = await open('/dev/null');
    await handle.close();
    const [socket] = await connection();
    socket.destroy();
    for (const closed of [handle, socket]) {
      expect(await failureOf(() => inheriting({ closed }))).toMatchObject(
        wrong('restore', 'inheritFd'),
      );
    }
  });

  test('of a page server connection are inherited by criu too', () => {
    for (const operation of ['dump', 'pageServer'] as const) {
      const { wire, inherited } = translate(operation, {
        imagesDirectory: '/i',
        pageServer: { fd },
      });
      expect(wire.ps).toEqual({ fd: 4 });
      expect(inherited).toEqual([[4, fd]]);
    }
  });
});

describe('a combination of options', () => {
  test.each<[string, Operation, CriuOpts, string, RegExp]>([
    ['no imagesDirectory', 'dump', {}, 'imagesDirectory', /a path or an open descriptor/],
    ['statusFd without lazyPages', 'dump', { statusFd: fd }, 'statusFd', /lazyPages: true/],
    [
      'statusFd with lazyPages off',
      'dump',
      { statusFd: fd, lazyPages: false },
      'statusFd',
      /lazyPages: true/,
    ],
    ['a dump to port 0', 'dump', { pageServer: { port: 0 } }, 'pageServer', /1 to 65535/],
    ['a dump to no port', 'preDump', { pageServer: { address: 'h' } }, 'pageServer', /1 to 65535/],
    [
      'tls on a given socket',
      'dump',
      { pageServer: { fd }, tls: files },
      'tls',
      /without encryption/,
    ],
  ])('%s is refused', async (_what, operation, options, option, message) => {
    const given = option === 'imagesDirectory' ? options : { imagesDirectory: '/i', ...options };
    const error = await failureOf(() => translate(operation, given));
    expect(error).toMatchObject(wrong(operation, option));
    expect(error.message).toMatch(message);
  });

  test.each<[string, Operation, CriuOpts, object]>([
    ['a page server on any port', 'pageServer', { pageServer: { port: 0 } }, { ps: { port: 0 } }],
    [
      'a page server that speaks TLS on a given socket',
      'pageServer',
      { pageServer: { fd }, tls: files },
      {
        ...{ ps: { fd: 4 }, tls: true, tls_cacert: '/ca', tls_cert: '/cert', tls_key: '/key' },
        ...anyClient,
      },
    ],
    [
      'files with relative paths, which CRIU would look for in the directory of the images',
      'dump',
      {
        ...{
          pageServer: { address: '::1', port: 1 },
          tls: { ca: 'ca', cert: 'cert', key: 'key', crl: 'crl' },
        },
        ...{ root: 'root', configFile: 'conf', cgroupYard: 'yard', cgroupPropsFile: 'props' },
        freezeCgroup: 'freezer',
      },
      {
        ...{
          ps: { address: '::1', port: 1 },
          tls: true,
          tls_cacert: resolve('ca'),
          tls_cert: resolve('cert'),
        },
        ...{ tls_key: resolve('key'), tls_cacrl: resolve('crl'), root: resolve('root') },
        ...{ config_file: resolve('conf'), cgroup_yard: resolve('yard') },
        ...{ cgroup_props_file: resolve('props'), freeze_cgroup: resolve('freezer') },
      },
    ],
    [
      'a parent image whose pages are not to be tracked',
      'dump',
      { parentImage: '../1', trackMem: false },
      { parent_img: '../1', track_mem: false },
    ],
    [
      'a parent image of a page server',
      'pageServer',
      { parentImage: '../1' },
      { parent_img: '../1' },
    ],
  ])('%s is accepted', (_what, operation, options, wire) => {
    expect(translate(operation, { imagesDirectory: '/i', ...options }).wire).toEqual(wire);
  });

  test('translation names the option that needs the newest CRIU', () => {
    const options = { imagesDirectory: '/i', displayStats: true, stream: false, lazyPages: true };
    expect(translate('dump', options).newest).toEqual({ option: 'stream', since: 40300 });
  });
});

describe('defaults', () => {
  const path = '/nonexistent';
  const imagesDirectory = '/i';

  test('apply to the operations that take them', () => {
    const defaults: CriuOpts = { asChild: true, leaveRunning: true, logLevel: 4, imagesDirectory };
    expect(withDefaults('dump', {}, defaults)).toEqual({
      leaveRunning: true,
      logLevel: 4,
      imagesDirectory,
    });
    expect(withDefaults('restore', {}, defaults)).toEqual({
      asChild: true,
      logLevel: 4,
      imagesDirectory,
    });
    expect(withDefaults('check', {}, defaults)).toEqual({ logLevel: 4 });
  });

  test('are overridden by the options of an operation', async () => {
    const criu = new Criu({ path, defaults: { tls: files, asChild: true, imagesDirectory } });
    const pageServer = { fd };
    expect(await failureOf(criu.dump(1, { pageServer }))).toMatchObject(wrong('dump', 'tls'));
    expect(await failureOf(criu.dump(1, { pageServer, tls: false }))).toMatchObject({
      code: 'ERR_CRIU_NOT_FOUND',
    });
  });

  test('are validated when the client is made, without checking combinations', async () => {
    expect(new Criu({ path, defaults: { statusFd: fd, pageServer: { port: 0 } } })).toBeInstanceOf(
      Criu,
    );
    const error = await failureOf(() => new Criu({ path, defaults: { tcp_close: 1 } as CriuOpts }));
    expect(error).toMatchObject(wrong('new Criu', 'defaults.tcp_close'));
    expect(error.message).toContain('did you mean defaults.tcpClose?');
  });

  test('are copied: later changes to the object have no effect', async () => {
    const defaults: CriuOpts = { imagesDirectory };
    const criu = new Criu({ path, defaults });
    Object.assign(defaults, { tcpClose: 'yes' });
    expect(await failureOf(criu.dump(1, {}))).toMatchObject({ code: 'ERR_CRIU_NOT_FOUND' });
  });
});
