import { openSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Operation, OptionOf } from '../../src/options/table.ts';
import type { CriuOpts } from '../../src/options/types.ts';

/** A descriptor that is open as long as the worker runs. */
export const fd = openSync('/dev/null', 'r');

/** The number of no open descriptor. */
export const notOpen = 0x7ffffff0;

/** Values of an option, and the expected result. */
export interface Case {
  /** Accepted values, with the value of the field; undefined if the field is set elsewhere. */
  readonly accepted: readonly (readonly [given: unknown, wire: unknown])[];
  readonly refused: readonly unknown[];
  /** Other options that the option needs. */
  readonly beside?: CriuOpts;
  /** Further fields that the option adds, except for a page server. */
  readonly adds?: object;
}

const flag: Case = {
  accepted: [true, false].map((value) => [value, value]),
  refused: ['yes', 1, 0, null, [true]],
};
/** An option that CRIU does not see. */
const ownFlag: Case = { ...flag, accepted: [true, false].map((value) => [value, undefined]) };
const badTexts = ['', 'a\0b', 'half a pair \ud83e', 5, null, {}];
const text: Case = {
  accepted: ['/a/b', 'ü🧊'].map((value) => [value, value]),
  refused: [...badTexts, ['a']],
};
/** The path of a file, which CRIU gets from the root directory. */
const path: Case = {
  ...text,
  accepted: text.accepted.map(([given]) => [given, resolve(String(given))]),
};
const texts: Case = {
  accepted: [[], ['a'], ['a', 'b', 'a']].map((value) => [value, value]),
  refused: ['a', null, { 0: 'a' }, new Array(1), new Set(['a']), ...badTexts.map((bad) => [bad])],
};
const integer = (least: number, most: number): Case => ({
  accepted: [least, most].map((value) => [value, value]),
  refused: [least - 1, most + 1, least + 0.5, `${least}`, Number.NaN, null, 1n],
});
const uint32 = integer(0, 0xffffffff);
const names = (values: Readonly<Record<string, string>>): Case => ({
  accepted: Object.entries(values),
  refused: [...Object.values(values), 'toString', 0, null, Object.keys(values)],
});
const records = (key: string, value: string): Case => ({
  accepted: [
    [{}, []],
    [
      { 'a b': '/c', d: 'e' },
      [
        { [key]: 'a b', [value]: '/c' },
        { [key]: 'd', [value]: 'e' },
      ],
    ],
  ],
  refused: ['a:b', null, [['a', 'b']], new Map([['a', 'b']]), { a: 1 }, { a: '' }, { 'a\0': 'b' }],
});
const directory: Case = {
  accepted: [
    ['/a/b', undefined],
    ['relative', undefined],
    [fd, undefined],
  ],
  refused: ['', 'a\0b', null, -1, notOpen, {}, ['/a']],
};
const badDescriptors = [-1, 1.5, '3', null, {}, notOpen, { fd: notOpen }, [fd], { fd: '3' }];

const files = { ca: '/ca.pem', cert: '/cert.pem', key: '/key.pem' };
const filesOnWire = {
  tls: true,
  tls_cacert: files.ca,
  tls_cert: files.cert,
  tls_key: files.key,
};

/** The cases of every option in the table. */
export const cases: Readonly<Record<OptionOf<Operation>, Case>> = {
  imagesDirectory: directory,
  workDirectory: directory,
  overwrite: ownFlag,
  durable: ownFlag,
  keepFailed: ownFlag,
  manifest: ownFlag,
  bindRoot: ownFlag,
  parentImage: { ...text, adds: { track_mem: true } },
  leaveRunning: flag,
  leaveStopped: flag,
  tcpEstablished: flag,
  tcpSkipInFlight: flag,
  tcpClose: flag,
  externalUnixConnections: flag,
  shellJob: flag,
  fileLocks: flag,
  linkRemap: flag,
  ghostLimit: uint32,
  evasiveDevices: flag,
  trackMem: flag,
  preDumpMode: names({ splice: 'SPLICE', read: 'VM_READ' }),
  autoDedup: flag,
  pageServer: {
    accepted: [
      [
        { address: 'there', port: 1 },
        { address: 'there', port: 1 },
      ],
      [
        { address: '::1', port: 65535 },
        { address: '::1', port: 65535 },
      ],
      [{ fd }, { fd: 4 }],
      [{ fd: { fd } }, { fd: 4 }],
    ],
    refused: [
      ...['127.0.0.1:27', 27, null, {}, [], new Map(), { adress: 'a', port: 1 }],
      ...[-1, 65536, 1.5, '27', null].map((port) => ({ port })),
      ...badTexts.map((address) => ({ address, port: 1 })),
      ...badDescriptors.map((bad) => ({ fd: bad })),
      { fd, port: 1 },
      { fd, address: '::1' },
    ],
  },
  lazyPages: flag,
  statusFd: {
    accepted: [[fd, undefined]],
    refused: badDescriptors,
    beside: { lazyPages: true },
    adds: { lazy_pages: true },
  },
  imageIoMode: names({ writeback: 'IMAGE_IO_WRITEBACK', direct: 'IMAGE_IO_DIRECT' }),
  compress: integer(0, 1),
  compressAcceleration: uint32,
  compressBlockSize: uint32,
  decompressThreads: integer(0, 1024),
  stream: flag,
  vethPairs: {
    accepted: [
      [[], []],
      [
        [{ containerInterfaceName: 'eth0', hostInterfaceName: 'veth1' }],
        [{ if_in: 'eth0', if_out: 'veth1' }],
      ],
    ],
    refused: [
      ...['eth0', null, [null], ['eth0'], [{}], [{ containerInterfaceName: 'eth0' }]],
      [{ containerInterfaceName: 'eth0', hostInterfaceName: '' }],
      [{ containerInterfaceName: 'eth0', hostInterfaceName: 'veth1', bridge: 'br0' }],
    ],
  },
  manageCgroupsMode: names({
    soft: 'SOFT',
    full: 'FULL',
    strict: 'STRICT',
    ignore: 'IGNORE',
    props: 'PROPS',
    none: 'CG_NONE',
    '': 'DEFAULT',
  }),
  manageCgroups: flag,
  cgRoot: {
    accepted: [
      ...records('ctrl', 'path').accepted,
      [{ '': '/all', cpu: '/c' }, [{ path: '/all' }, { ctrl: 'cpu', path: '/c' }]],
    ],
    refused: records('ctrl', 'path').refused,
  },
  cgroupProps: text,
  cgroupPropsFile: path,
  cgroupDumpController: {
    accepted: [...texts.accepted, [[''], ['']]],
    refused: texts.refused.filter((bad) => !Array.isArray(bad) || bad[0] !== ''),
  },
  cgroupYard: path,
  freezeCgroup: path,
  emptyNs: {
    accepted: [
      [['network'], 0x40000000],
      [[], 0],
      [0x40000000, 0x40000000],
      [0, 0],
    ],
    refused: ['network', ['net'], [['network']], ['network', 'pid'], 0x20000000, 0x60000000, -1],
  },
  joinNs: {
    accepted: [
      [[], []],
      [
        [
          { ns: 'net', nsFile: '/run/netns/a' },
          { ns: 'uts', nsFile: 12 },
        ],
        [
          { ns: 'net', ns_file: '/run/netns/a' },
          { ns: 'uts', ns_file: '12' },
        ],
      ],
      [
        [{ ns: 'user', nsFile: '/a', extraOpt: '0,0' }],
        [{ ns: 'user', ns_file: '/a', extra_opt: '0,0' }],
      ],
    ],
    refused: [
      ...['net:/a', null, [null], ['net'], [{ ns: 'net' }], [{ nsFile: '/a' }]],
      ...['mnt', 'pid', 5].map((ns) => [{ ns, nsFile: '/a' }]),
      ...['', 0, -1, 1.5].map((nsFile) => [{ ns: 'net', nsFile }]),
      [{ ns: 'user', nsFile: '/a', extraOpt: 5 }],
      [{ ns: 'user', nsFile: '/a', extraOpts: '0,0' }],
    ],
  },
  external: texts,
  inheritFd: {
    accepted: [
      [{}, []],
      [
        { 'pipe:[1]': fd, 'a/b': { fd } },
        [4, 5].map((n, i) => ({ key: ['pipe:[1]', 'a/b'][i], fd: n })),
      ],
    ],
    refused: [
      ...['a', null, [fd], new Map([['a', fd]]), { '': fd }, { 'a\0': fd }],
      ...badDescriptors.map((bad) => ({ good: fd, bad })),
    ],
  },
  extMnt: { ...records('key', 'val'), refused: [...records('key', 'val').refused, { '': '/a' }] },
  autoExtMnt: flag,
  extSharing: flag,
  extMasters: flag,
  skipMnt: texts,
  enableFs: texts,
  mntnsCompatMode: flag,
  root: path,
  unixSkIno: {
    accepted: [
      [[], []],
      [
        [0, 0xffffffff],
        [{ inode: 0 }, { inode: 0xffffffff }],
      ],
    ],
    refused: [5, null, ['5'], [-1], [1.5], [2 ** 32], new Array(1)],
    // CRIU reads the inodes only together with this field.
    adds: { ext_unix_sk: false },
  },
  forceIrmap: flag,
  irmapScanPaths: texts,
  cpuCap: {
    accepted: [
      [['fpu', 'ins'], 5],
      [['cpu'], 2],
      [['all'], 0xffffffff],
      [['none'], 0],
      [0xffffffff, 0xffffffff],
      [0, 0],
    ],
    refused: ['fpu', ['sse'], [1], [['fpu']], -1, 2 ** 32, 1.5, null],
  },
  lsmProfile: text,
  lsmMountContext: text,
  weakSysctls: flag,
  networkLock: names({ iptables: 'IPTABLES', nftables: 'NFTABLES', skip: 'SKIP' }),
  skipFileRwxCheck: flag,
  orphanPtsMaster: flag,
  asChild: flag,
  execCmd: texts,
  pidfdStoreSk: {
    accepted: [
      [fd, fd],
      [{ fd }, fd],
    ],
    refused: badDescriptors,
  },
  tls: {
    // The option becomes several fields.
    accepted: [
      [false, { tls: false }],
      [files, filesOnWire],
      [{ ...files, verifyName: true }, filesOnWire],
      [
        { ...files, crl: '/crl.pem', verifyName: false },
        { ...filesOnWire, tls_cacrl: '/crl.pem', tls_no_cn_verify: true },
      ],
    ],
    refused: [true, 'ca.pem', 1, null, ['ca.pem'], new Map()],
  },
  timeout: uint32,
  configFile: path,
  unprivileged: flag,
  pluginOptions: texts,
  logLevel: integer(0, 4),
  logFile: {
    accepted: ['a.log', '...'].map((value) => [value, value]),
    refused: [...badTexts, '/a.log', 'a/b', '..', '.'],
  },
  logToStderr: flag,
  displayStats: flag,
};
