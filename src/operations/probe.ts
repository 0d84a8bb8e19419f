import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError, type CriuErrorCode } from '../errors.ts';
import { failsAtSockets, tooOldForSockets } from '../failure/old-criu.ts';
import { checkOptions } from '../options/check.ts';
import { limits } from '../options/operation-options.ts';
import type { OperationOptions } from '../options/types.ts';
import type { CriuRequest, CriuResponse } from '../protocol/messages.ts';
import { type Endpoint, locate } from '../worker/endpoint.ts';
import type { Client } from './client.ts';
import { type CriuVersion, describeCriu, dotted, knownVersions } from './known-versions.ts';
import { call } from './request.ts';

/** The kernel features that CRIU can use. */
export interface CriuFeatures {
  /** True if the kernel tracks changed memory (soft-dirty): pre-dumps work, and CRIU uses parent images by itself. */
  readonly memTrack: boolean;
  /** True if userfaultfd can be used: lazy pages work. */
  readonly lazyPages: boolean;
  /** True if CRIU can store pidfds and so detect pid reuse between pre-dumps. Since CRIU 3.16. */
  readonly pidfdStore: boolean;
}

/** Time limit of a request that takes CRIU a few milliseconds. */
const ANSWER_LIMIT_MS = 30_000;

/** Answers by the identity of the endpoint, valid until its binary is replaced. */
const knownFeatures = new Map<string, CriuFeatures>();

/** The version of CRIU. */
export async function version(client: Client, options: OperationOptions): Promise<CriuVersion> {
  using cancellation = new Cancellation('version', checkOptions('version', options, limits));
  return await askVersion('version', await locate('version', client), cancellation);
}

/** The kernel features that CRIU can use. */
export async function features(client: Client, options: OperationOptions): Promise<CriuFeatures> {
  using cancellation = new Cancellation('features', checkOptions('features', options, limits));
  return await askFeatures('features', await locate('features', client), cancellation);
}

/** The same, which are asked for once. @throws CriuError */
export async function featuresOnce(operation: string, client: Client): Promise<CriuFeatures> {
  const endpoint = await locate(operation, client);
  const known = knownFeatures.get(endpoint.identity);
  if (known) return known;
  using cancellation = new Cancellation(operation, {});
  return await askFeatures(operation, endpoint, cancellation);
}

/** The version of CRIU, which is asked for once; undefined if it does not answer. */
export async function versionOnce(
  client: Client,
  cancellation: Cancellation,
): Promise<CriuVersion | undefined> {
  try {
    return await knownVersion('version', await locate('version', client), cancellation);
  } catch {
    return undefined;
  }
}

/** The version, which is asked for once. @throws CriuError as {@link askVersion} does */
export async function knownVersion(
  operation: string,
  endpoint: Endpoint,
  cancellation: Cancellation,
): Promise<CriuVersion> {
  return (
    knownVersions.get(endpoint.identity) ?? (await askVersion(operation, endpoint, cancellation))
  );
}

/** Asks for the version. @throws CriuError ERR_CRIU_NOT_CRIU, ERR_CRIU_TOO_OLD */
export async function askVersion(
  operation: string,
  endpoint: Endpoint,
  cancellation: Cancellation,
): Promise<CriuVersion> {
  using limited = cancellation.within(ANSWER_LIMIT_MS);
  let reply: CriuResponse;
  try {
    reply = await ask(operation, endpoint, { type: 'VERSION' }, limited);
  } catch (error) {
    throw cancellation.reason ? error : notCriu(error, endpoint, operation);
  }
  const { version } = reply;
  if (!version)
    throw new CriuError('ERR_CRIU_PROTOCOL', `${operation}: the reply to VERSION has no version`);
  const { major_number: major, minor_number: minor, sublevel = 0 } = version;
  const answer = {
    major,
    minor,
    sublevel,
    ...(version.extra !== undefined && { extra: version.extra }),
    ...(version.gitid !== undefined && { gitId: version.gitid }),
    ...(version.name !== undefined && { name: version.name }),
    number: major * 10000 + minor * 100 + sublevel,
  };
  knownVersions.set(endpoint.identity, answer);
  return answer;
}

/** Why a CRIU that has told its version cannot dump sockets on this kernel; undefined if it can. */
export function socketRefusal(endpoint: Endpoint): string | undefined {
  const version = knownVersions.get(endpoint.identity);
  return version && failsAtSockets(version.number)
    ? tooOldForSockets(describeCriu(endpoint))
    : undefined;
}

/** Asks with a FEATURE_CHECK request which kernel features CRIU can use. */
export async function askFeatures(
  operation: string,
  endpoint: Endpoint,
  cancellation: Cancellation,
): Promise<CriuFeatures> {
  const wanted = { mem_track: true, lazy_pages: true, pidfd_store: true };
  const request: CriuRequest = { type: 'FEATURE_CHECK', features: wanted };
  using limited = cancellation.within(ANSWER_LIMIT_MS);
  const reply = await ask(operation, endpoint, request, limited).catch(async (error: CriuError) => {
    if (error.code === 'ERR_CRIU_TOO_OLD' && !knownVersions.has(endpoint.identity)) {
      // Ask for the version first, so that the error of the second attempt names it.
      await askVersion(operation, endpoint, cancellation);
      return await ask(operation, endpoint, request, limited);
    }
    throw cancellation.reason || error.code !== 'ERR_CRIU_TIMEOUT' ? error : mute(error, endpoint);
  });
  const answer = {
    memTrack: reply.features?.mem_track ?? false,
    lazyPages: reply.features?.lazy_pages ?? false,
    pidfdStore: reply.features?.pidfd_store ?? false,
  };
  knownFeatures.set(endpoint.identity, answer);
  return answer;
}

/**
 * Refuses what this CRIU or this kernel does not support, before anything touches the workload.
 * @throws CriuError ERR_CRIU_TOO_OLD, ERR_CRIU_NO_MEM_TRACK, ERR_CRIU_NO_LAZY_PAGES
 */
export async function requireSupport(
  operation: string,
  endpoint: Endpoint,
  needs: {
    /** The first CRIU that knows the operation. */
    readonly since: number;
    /** Of the options that are set, the one that needs the newest CRIU. */
    readonly newest: { readonly option: string; readonly since: number } | undefined;
    readonly memTrack: boolean;
    readonly lazyPages: boolean;
  },
  cancellation: Cancellation,
): Promise<void> {
  const version = await knownVersion(operation, endpoint, cancellation);
  const tooNew = [needs, needs.newest].find((need) => need && need.since > version.number);
  if (tooNew) {
    const option = tooNew === needs.newest ? needs.newest.option : undefined;
    const it = option ? `option ${option} needs` : 'it needs';
    throw new CriuError(
      'ERR_CRIU_TOO_OLD',
      `${operation}: ${it} CRIU ${dotted(tooNew.since)}, and ${endpoint.name} is ${dotted(version.number)}`,
      { operation, option },
    );
  }
  if (!needs.memTrack && !needs.lazyPages) return;
  const kernel =
    knownFeatures.get(endpoint.identity) ?? (await askFeatures(operation, endpoint, cancellation));
  if (needs.memTrack && !kernel.memTrack) {
    throw new CriuError(
      'ERR_CRIU_NO_MEM_TRACK',
      `${operation}: this kernel does not track changed memory (it lacks CONFIG_MEM_SOFT_DIRTY): make a plain dump instead`,
      { operation },
    );
  }
  if (needs.lazyPages && !kernel.lazyPages) {
    throw new CriuError(
      'ERR_CRIU_NO_LAZY_PAGES',
      `${operation}: this kernel has no userfaultfd that lazy pages could use`,
      { operation },
    );
  }
}

/** True if the kernel tracks changed memory (soft-dirty). */
export async function supportsMemTrack(
  operation: string,
  endpoint: Endpoint,
  cancellation: Cancellation,
): Promise<boolean> {
  const known = knownFeatures.get(endpoint.identity);
  return (known ?? (await askFeatures(operation, endpoint, cancellation))).memTrack;
}

async function ask(
  operation: string,
  endpoint: Endpoint,
  request: CriuRequest,
  cancellation: Cancellation,
): Promise<CriuResponse> {
  cancellation.throwIfRequested();
  return await call({ operation, label: operation, endpoint, request, cancellation });
}

const strange: ReadonlySet<CriuErrorCode> = new Set([
  'ERR_CRIU_EOF',
  'ERR_CRIU_PROTOCOL',
  'ERR_CRIU_TIMEOUT',
]);

/** A program that ends without a valid answer is no criu. Other errors stay unchanged. */
function notCriu(error: unknown, endpoint: Endpoint, operation: string): unknown {
  if (!(error instanceof CriuError) || !strange.has(error.code)) return error;
  const { stderr, exit } = error;
  const said = stderr ? `; it said: ${stderr.split('\n', 1)[0]}` : '';
  return new CriuError(
    'ERR_CRIU_NOT_CRIU',
    `${operation}: ${endpoint.name} is not a criu: it does not answer a VERSION request${said}`,
    { operation, stderr, exit, cause: error },
  );
}

function mute({ operation, stderr, exit }: CriuError, { name }: Endpoint): CriuError {
  const text = `${operation}: ${name} has not answered a FEATURE_CHECK request within ${ANSWER_LIMIT_MS} ms`;
  return new CriuError('ERR_CRIU_TIMEOUT', text, { operation, stderr, exit });
}
