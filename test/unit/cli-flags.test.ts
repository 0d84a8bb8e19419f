import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addFlags, optionsFrom } from '../../src/cli/flags.ts';
import { formatLabels, label, numericIds, part, positive } from '../../src/cli/fleet-values.ts';
import { bytes, hostAndPort, milliseconds, port } from '../../src/cli/quantities.ts';
import { type Operation, rowOf } from '../../src/options/table.ts';
import { translate } from '../../src/options/translate.ts';
import type { CriuOpts } from '../../src/options/types.ts';

/** Arguments of the command, and the options of the library that they mean. */
const examples: readonly (readonly [args: readonly string[], options: CriuOpts])[] = [
  [['-D', '/a'], { imagesDirectory: '/a' }],
  [['--tcp-established'], { tcpEstablished: true }],
  [['--no-manage-cgroups'], { manageCgroups: false }],
  [['--ghost-limit', '1048576'], { ghostLimit: 1048576 }],
  [['--external', 'mnt[/a]:b', '--external', 'c'], { external: ['mnt[/a]:b', 'c'] }],
  [['--cgroup-dump-controller', ''], { cgroupDumpController: [''] }],
  [['--network-lock', 'nftables'], { networkLock: 'nftables' }],
  [['--cpu-cap', 'fpu,ins'], { cpuCap: ['fpu', 'ins'] }],
  [['--cpu-cap', '0x5'], { cpuCap: 5 }],
  [['--empty-ns', 'network'], { emptyNs: ['network'] }],
  [['--cg-root', 'cpu=/c', '--cg-root', '=/all'], { cgRoot: { cpu: '/c', '': '/all' } }],
  [['--ext-mnt', 'a=b=/c'], { extMnt: { 'a=b': '/c' } }],
  [['--unix-sk-ino', '5', '--unix-sk-ino', '6'], { unixSkIno: [5, 6] }],
  [['--inherit-fd', 'pipe:[12]=0'], { inheritFd: { 'pipe:[12]': 0 } }],
  [['--pidfd-store-sk', '0'], { pidfdStoreSk: 0 }],
  [
    ['--veth-pairs', 'eth0=veth1'],
    { vethPairs: [{ containerInterfaceName: 'eth0', hostInterfaceName: 'veth1' }] },
  ],
  [['--join-ns', 'net:/run/netns/a'], { joinNs: [{ ns: 'net', nsFile: '/run/netns/a' }] }],
  [['--join-ns', 'user:12,0,0'], { joinNs: [{ ns: 'user', nsFile: 12, extraOpt: '0,0' }] }],
  [['--page-server', '192.0.2.1:27'], { pageServer: { address: '192.0.2.1', port: 27 } }],
  [['--page-server', '[::1]:27'], { pageServer: { address: '::1', port: 27 } }],
  [['--page-server', ':27', '--lazy-pages'], { pageServer: { port: 27 }, lazyPages: true }],
  [['--page-server', 'fd:0'], { pageServer: { fd: 0 } }],
  [
    ['--tls'],
    {
      tls: {
        ca: '/etc/pki/CA/cacert.pem',
        cert: '/etc/pki/criu/cert.pem',
        key: '/etc/pki/criu/private/key.pem',
      },
    },
  ],
  [
    [
      ...['--tls-cacert', 'ca.pem', '--tls-cert', 'cert.pem', '--tls-key', 'key.pem', '--tls'],
      ...['--tls-cacrl', 'crl.pem', '--tls-no-cn-verify'],
    ],
    {
      tls: { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem', crl: 'crl.pem', verifyName: false },
    },
  ],
  [['--no-tls'], { tls: false }],
];

test.each(examples)('%j means %j', (args, options) => {
  const given = parse(['dump', 'restore'], args);
  expect(given).toEqual(options);
  const [name] = Object.keys(options) as [string];
  const operation = rowOf.get(name)?.[1].operations.includes('dump') ? 'dump' : 'restore';
  expect(() => translate(operation, { imagesDirectory: '/', ...given })).not.toThrow();
});

test.each(['dump', 'preDump', 'restore', 'check'] as const)(
  '%s has a flag for each of its options',
  (operation) => {
    const command = new Command();
    addFlags(command, [operation]);
    const expected = [...rowOf].flatMap(([name, [, { operations }]]) =>
      operations.includes(operation) ? [name] : [],
    );
    const flags = command.options.filter(({ negate }) => !negate);
    const names = flags.map((flag) => flag.attributeName());
    expect(names.filter((name) => !/^tls[A-Z]/.test(name))).toEqual(expected);
    for (const { description } of flags) expect(description).not.toMatch(/[`*]|@link/);
  },
);

test('the examples cover every form of a value', () => {
  const tried = examples.flatMap(([, options]) => Object.keys(options));
  const forms = (names: readonly string[]) =>
    [...new Set(names.map((name) => rowOf.get(name)?.[1].kind.form))].sort();
  expect(forms([...tried, 'root'])).toEqual(forms([...rowOf.keys()]));
});

test('the command refuses a malformed value, and the library a wrong one', () => {
  const refused = (args: readonly string[]) =>
    translate('dump', { imagesDirectory: '/', ...parse(['dump'], args) });
  expect(() => refused(['--ghost-limit', 'x'])).toThrow(
    "takes an integer from 0 to 4294967295, not 'x'",
  );
  expect(() => refused(['--cpu-cap', 'sse'])).toThrow('cpuCap takes an array of');
  for (const args of [
    ['--ext-mnt', 'a'],
    ['--page-server', 'a'],
  ]) {
    expect(() => parse(['dump'], args)).toThrow(`argument 'a' is invalid`);
  }
  expect(() => parse(['restore'], ['--join-ns', 'net'])).toThrow('is invalid');
});

test('durations, sizes, ports and endpoints are parsed', () => {
  expect(['100ms', '10s', '1.5m', '2h', '7d'].map(milliseconds)).toEqual([
    100, 10_000, 90_000, 7_200_000, 604_800_000,
  ]);
  expect(['0', '512k', '64M', '64MiB', '1.5g'].map(bytes)).toEqual([
    ...[0, 524_288, 67_108_864, 67_108_864, 1_610_612_736],
  ]);
  expect(['0', '65535'].map(port)).toEqual([0, 65_535]);
  expect(['a:1', '192.0.2.1:65535', '[::1]:0'].map(hostAndPort)).toEqual([
    { host: 'a', port: 1 },
    { host: '192.0.2.1', port: 65535 },
    { host: '::1', port: 0 },
  ]);
  for (const wrong of ['', '5', 's', '-1s', '1 s', '1w'])
    expect(() => milliseconds(wrong)).toThrow();
  for (const wrong of ['', 'k', '-1', '1t', '0x1', '1MB', 'iB'])
    expect(() => bytes(wrong)).toThrow();
  for (const wrong of ['', '-1', '65536', 'a']) expect(() => port(wrong)).toThrow();
  for (const wrong of ['', 'a', ':1', '::1:5', 'a:65536', 'a:']) {
    expect(() => hostAndPort(wrong)).toThrow();
  }
});

test('labels, parts, positive numbers and numeric ids are parsed', () => {
  expect(label('b=c=d', label('a=1'))).toEqual({ a: '1', b: 'c=d' });
  expect(formatLabels({ a: '1', b: 'c=d' })).toBe('a=1,b=c=d');
  expect(['0.25', '10%', '1'].map(part)).toEqual([0.25, 0.1, 1]);
  expect(['1000:50', '33'].map(numericIds)).toEqual([
    { uid: 1000, gid: 50 },
    { uid: 33, gid: 33 },
  ]);
  for (const wrong of ['a', '=a']) expect(() => label(wrong)).toThrow('Give a label');
  for (const wrong of ['', 'x', '-1', '1 %']) expect(() => part(wrong)).toThrow('Give a part');
  for (const wrong of ['', '0', '-1', '1.5', 'x']) expect(() => positive(wrong)).toThrow();
  for (const wrong of ['', 'root', '1:', ':1']) expect(() => numericIds(wrong)).toThrow('numbers');
});

function parse(operations: readonly Operation[], args: readonly string[]): CriuOpts {
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  return optionsFrom(addFlags(command, operations).parse(args, { from: 'user' }).opts()).options;
}
