import { open } from 'node:fs/promises';
import type { ChannelOptions, ServerCredentials } from '@grpc/grpc-js';
import { CriuError } from '../../errors.ts';
import description from '../../generated/migration.ts';
import type { ProtoGrpcType } from '../../generated/types/migration.ts';
import type { TlsFiles } from '../../options/tls.ts';
import type { Credentials } from './credentials.ts';
import type { RenewedCredentials } from './renewed-credentials.ts';
import { DEFAULT_STALL_MS } from './stall-limit.ts';

/** The newest version of the protocol between two hosts that this one speaks. */
export const PROTOCOL = 2;
/** The oldest one. */
export const OLDEST_PROTOCOL = 1;

/** The newest version that both hosts speak; undefined if there is none. */
export function commonProtocol(newest: number, oldest: number): number | undefined {
  const common = Math.min(newest, PROTOCOL);
  return common >= Math.max(oldest, OLDEST_PROTOCOL) ? common : undefined;
}

const KEEPALIVE_MS = 5000;

/**
 * The options of a gRPC channel or server.
 * @param stallMs how long the other host may be silent; a slow host answers keepalive probes late
 */
export function channelOptions(stallMs = DEFAULT_STALL_MS): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': Math.max(KEEPALIVE_MS, stallMs),
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.max_receive_message_length': 4 << 20,
    // The hosts connect directly, as they do for pages: a proxy in the environment is meant for the web.
    'grpc.enable_http_proxy': 0,
  };
}

/** gRPC and the generated service. */
export type Service = Awaited<ReturnType<typeof load>>;

let loaded: Service | undefined;

/**
 * Loads gRPC at the first migration, since most programs never migrate.
 * @throws CriuError ERR_CRIU_SYSTEM if it cannot be loaded
 */
export async function loadService(): Promise<Service> {
  loaded ??= await load();
  return loaded;
}

async function load() {
  const { grpc, fromJSON } = await importGrpc().catch((cause: NodeJS.ErrnoException) => {
    const errno = cause.errno === undefined ? undefined : Math.abs(cause.errno);
    const message = `gRPC cannot be loaded: ${cause.message.split('\n')[0]}`;
    throw new CriuError('ERR_CRIU_SYSTEM', message, { errno, cause });
  });
  const definition = fromJSON(description as never, {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { node_criu } = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  return { grpc, Migrations: node_criu.Migrations };
}

async function importGrpc() {
  await requireSpareDescriptors();
  return await import('./grpc.ts');
}

/**
 * Throws EMFILE if no descriptors are left. Node 20 reports a package that it cannot read for want of
 * a descriptor as missing, and remembers that.
 */
async function requireSpareDescriptors(): Promise<void> {
  await using _first = await open('/dev/null');
  await using _second = await open('/dev/null');
}

/** Mutual TLS of a server. grpc-js has no factory that accepts a revocation list. */
export function serverCredentials(
  { grpc }: Service,
  credentials: Credentials | undefined,
  renewed: RenewedCredentials | undefined,
): ServerCredentials {
  if (!credentials) return grpc.ServerCredentials.createInsecure();
  const { ca, cert, key, crl } = credentials;
  class MutualTls extends grpc.ServerCredentials {
    _equals(other: ServerCredentials): boolean {
      return this === other;
    }

    use(files: TlsFiles): void {
      this.updateSecureContextOptions(files);
    }
  }
  const tls = new MutualTls({ requestCert: true }, { ca, cert, key, ...(crl && { crl }) });
  renewed?.onChange((files) => tls.use(files));
  return tls;
}
