import { expect, test } from 'vitest';
import { factsOf } from '../../src/cleanup/tcp-repair.ts';

test.each([
  ['0100007F:1F90', '0200A8C0:0050', 4, '127.0.0.1', 8080, '192.168.0.2', 80],
  [
    '00000000000000000000000001000000:0016',
    'B80D0120000000000000000001000000:FFFF',
    6,
    '0:0:0:0:0:0:0:1',
    22,
    '2001:db8:0:0:0:0:0:1',
    65535,
  ],
  // IPv4 through a socket of IPv6.
  [
    '0000000000000000FFFF00000100007F:0016',
    '0000000000000000FFFF00000300007F:1000',
    4,
    '127.0.0.1',
    22,
    '127.0.0.3',
    4096,
  ],
] as const)(
  'a connection is read as /proc has it: %s to %s',
  (near, far, family, nearAddress, nearPort, farAddress, farPort) => {
    expect(factsOf(near, far)).toEqual({
      family,
      near: { address: nearAddress, port: nearPort },
      far: { address: farAddress, port: farPort },
    });
  },
);
