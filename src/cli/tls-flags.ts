import { Option } from 'commander';
import type { TlsOptions } from '../index.ts';
import { helpOf } from './option-names.ts';

/** The TLS flags of the criu command, which {@link withTls} combines into the option `tls`. */
export function tlsFlags(): Option[] {
  return [
    new Option('--tls', helpOf('tls')),
    new Option('--no-tls').hideHelp(),
    new Option('--tls-cacert <file>', `certificate authority (default: ${defaultTls.ca})`),
    new Option('--tls-cacrl <file>', 'certificate revocation list'),
    new Option('--tls-cert <file>', `certificate to present (default: ${defaultTls.cert})`),
    new Option('--tls-key <file>', `private key of the certificate (default: ${defaultTls.key})`),
    new Option('--tls-no-cn-verify', 'accept a server certificate for any address'),
  ];
}

/** The defaults of criu(8). */
const defaultTls = {
  ca: '/etc/pki/CA/cacert.pem',
  cert: '/etc/pki/criu/cert.pem',
  key: '/etc/pki/criu/private/key.pem',
};

/** The values of {@link tlsFlags}. */
interface TlsFlags {
  readonly tls?: unknown;
  readonly tlsCacert?: string | undefined;
  readonly tlsCacrl?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsNoCnVerify?: boolean | undefined;
}

/** Replaces the values of {@link tlsFlags} with the option `tls` of the library. */
export function withTls<O extends object>(flags: O): O {
  const { tls, tlsCacert, tlsCacrl, tlsCert, tlsKey, tlsNoCnVerify, ...others } = flags as TlsFlags;
  if (tls !== true) return { ...others, ...(tls === false && { tls }) } as O;
  const options: TlsOptions = {
    ca: tlsCacert ?? defaultTls.ca,
    cert: tlsCert ?? defaultTls.cert,
    key: tlsKey ?? defaultTls.key,
    ...(tlsCacrl !== undefined && { crl: tlsCacrl }),
    ...(tlsNoCnVerify && { verifyName: false }),
  };
  return { ...others, tls: options } as O;
}
