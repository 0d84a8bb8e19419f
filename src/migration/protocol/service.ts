import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { CallOptions, ClientUnaryCall, ServerCredentials, ServiceError } from '@grpc/grpc-js';
import { builtins } from '../../builtins.ts';
import { CriuError } from '../../errors.ts';
import description from '../../generated/migration.ts';
import type { ProtoGrpcType } from '../../generated/types/migration.ts';
import type { MigrationsClient } from '../../generated/types/node_criu/Migrations.ts';
import { type Credentials, identityCheck } from './credentials.ts';

/** The version of the agreement between two hosts. */
export const PROTOCOL = 1;

const KEEPALIVE = {
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': 4 << 20,
};

/**
 * gRPC is loaded at the first migration only: most programs that dump do not need it.
 * @throws CriuError ERR_CRIU_SYSTEM if it cannot be
 */
export async function loadService(): Promise<Service> {
  loaded ??= await load();
  return loaded;
}

/** gRPC, and our service in its terms. */
export type Service = Awaited<ReturnType<typeof load>>;

let loaded: Service | undefined;

async function load() {
  const [grpc, loader] = await loadGrpc().catch((cause: NodeJS.ErrnoException) => {
    const errno = cause.errno === undefined ? undefined : Math.abs(cause.errno);
    const message = `gRPC cannot be loaded: ${cause.message.split('\n')[0]}`;
    throw new CriuError('ERR_CRIU_SYSTEM', message, { errno, cause });
  });
  const definition = loader.fromJSON(description as never, {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { node_criu } = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  return { grpc: grpc.default ?? grpc, Migrations: node_criu.Migrations, options: KEEPALIVE };
}

async function loadGrpc() {
  await spareDescriptors();
  return await Promise.all([import('@grpc/grpc-js'), import('@grpc/proto-loader')]);
}

/**
 * Throws if there are none: Node 20 takes a package that it cannot read for want of a descriptor for
 * one that is not there, and remembers that.
 */
async function spareDescriptors(): Promise<void> {
  await using _one = await open('/dev/null');
  await using _other = await open('/dev/null');
}

/** Mutual TLS for a server. grpc-js has no way to pass a revocation list, and this passes all of it. */
export function serverCredentials(
  { grpc }: Service,
  { ca, cert, key, crl }: Credentials,
): ServerCredentials {
  class MutualTls extends grpc.ServerCredentials {
    _equals(other: ServerCredentials): boolean {
      return this === other;
    }
  }
  return new MutualTls({ requestCert: true }, { ca, cert, key, ...(crl && { crl }) });
}

/** The method names of calls with one answer. */
type Unary = 'offer' | 'startRound' | 'prepare' | 'handOver' | 'awaitPages' | 'abort' | 'ask';
type Request<M extends Unary> = Parameters<MigrationsClient[M]>[0];
type Reply<M extends Unary> = MigrationsClient[M] extends (
  argument: never,
  callback: (error: ServiceError | null, reply?: infer R) => void,
) => ClientUnaryCall
  ? R
  : never;

/** The destination, as its source asks it. */
export class Destination implements Disposable {
  readonly client: MigrationsClient;

  static async connect(
    { host, port }: { readonly host: string; readonly port: number },
    credentials: Credentials | undefined,
  ): Promise<Destination> {
    const { grpc, Migrations, options } = await loadService();
    const channel = credentials
      ? grpc.credentials.createFromSecureContext(builtins.tls.createSecureContext(credentials), {
          checkServerIdentity: identityCheck(host, credentials),
        })
      : grpc.credentials.createInsecure();
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    // TLS has no names that are addresses; what the certificate is for is compared above.
    const name = isIP(host) ? { 'grpc.ssl_target_name_override': 'destination' } : {};
    return new Destination(new Migrations(address, channel, { ...options, ...name }));
  }

  private constructor(client: MigrationsClient) {
    this.client = client;
  }

  /** Asks; rejects with gRPC's error if there is no answer within so many milliseconds. */
  async call<M extends Unary>(
    method: M,
    request: Request<M>,
    withinMs: number | undefined,
    signal?: AbortSignal,
  ): Promise<Reply<M>> {
    const options: CallOptions = withinMs === undefined ? {} : { deadline: Date.now() + withinMs };
    signal?.throwIfAborted();
    return await new Promise<Reply<M>>((resolve, reject) => {
      const ask = this.client[method] as (
        argument: unknown,
        options: CallOptions,
        callback: (error: ServiceError | null, reply?: Reply<M>) => void,
      ) => ClientUnaryCall;
      const call = ask.call(this.client, request, options, (error, reply) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(error);
        else resolve(reply as Reply<M>);
      });
      const cancel = () => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
