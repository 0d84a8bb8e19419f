import { randomBytes } from 'node:crypto';
import { CriuError } from '../../errors.ts';
import { check, checkOptions } from '../../options/check.ts';
import { flag, integer, text, texts } from '../../options/kinds.ts';
import { isLoopback } from '../../options/reach.ts';
import { serverCertificate } from '../../options/tls.ts';

/** Options of {@link serveDashboard}. */
export interface DashboardOptions {
  /** The address to listen on. Default `127.0.0.1`. Others than those of loopback need `tls` or `insecure`. */
  readonly host?: string;
  /** The port to listen on. Default 0: any free port. */
  readonly port?: number;
  /**
   * What a reader must show: at least 32 letters, digits, `-` and `_`. Default: 256 random bits, new for each dashboard.
   */
  readonly token?: string;
  /** Certificate and key for https, each the path of a PEM file or its content. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /**
   * Listen without TLS on an address that others can reach, as behind a proxy that has the certificate. Anybody on the
   * way can read the token then.
   */
  readonly insecure?: boolean;
  /**
   * Host names under which browsers reach the dashboard, besides `host`, `localhost` and IP addresses. Requests for
   * other names are refused, because a web page could have its own name resolved to this host.
   */
  readonly names?: readonly string[];
  /** Time between two looks at the fleet, in milliseconds, and so between two changes of the page. Default 1000. */
  readonly intervalMs?: number;
}

/** Checked options, with their defaults. */
export interface ResolvedDashboardOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly tls: DashboardOptions['tls'];
  readonly names: readonly string[];
  readonly intervalMs: number;
}

const token = check(
  'at least 32 letters, digits, - and _',
  (value) => typeof value === 'string' && /^[\w-]{32,1024}$/.test(value),
);

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function resolveDashboardOptions(
  operation: string,
  given: DashboardOptions,
): ResolvedDashboardOptions {
  const options = checkOptions(operation, given, {
    host: text,
    port: integer(0, 65535),
    token,
    tls: serverCertificate,
    insecure: flag,
    names: texts,
    intervalMs: integer(100, 3_600_000),
  });
  const { host = '127.0.0.1', tls, insecure, names = [] } = options;
  if (!tls && !insecure && !isLoopback(host)) {
    throw new CriuError(
      'ERR_CRIU_INVALID_ARGUMENT',
      `${operation}: host ${host} needs tls, because others on the network could read the token; or set insecure: true`,
      { operation, option: 'host' },
    );
  }
  return {
    ...{ host, port: options.port ?? 0, tls, names, intervalMs: options.intervalMs ?? 1000 },
    token: options.token ?? randomBytes(32).toString('base64url'),
  };
}
