import { invalid } from '../../errors.ts';

/** A repository of a registry, and an image in it. */
export interface RegistryReference {
  /** `https://HOST[:PORT]`. */
  readonly origin: string;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly version: string;
}

const TAKES = 'HOST[:PORT]/REPOSITORY[:TAG] or HOST[:PORT]/REPOSITORY@sha256:DIGEST';
/** Source: the OCI distribution specification, spec.md. */
const REFERENCE =
  /^(?<host>[a-zA-Z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?)\/(?<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)(?::(?<tag>\w[\w.-]{0,127})|@(?<digest>sha256:[0-9a-f]{64}))?$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Parses a reference, which names its registry. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function parseReference(
  operation: string,
  reference: string,
  plainHttp: boolean | undefined,
): RegistryReference {
  const groups = REFERENCE.exec(typeof reference === 'string' ? reference : '')?.groups;
  const { host = '', repository = '', tag, digest } = groups ?? {};
  // A name without a host would mean another registry to each tool.
  const isHost = host === 'localhost' || /[.:]/.test(host);
  if (groups === undefined || !isHost) throw invalid(operation, 'reference', TAKES, reference);
  if (plainHttp && !LOOPBACK.test(host)) {
    throw invalid(operation, 'plainHttp', 'true only for a registry on this host', plainHttp);
  }
  const version = digest ?? tag ?? 'latest';
  return { origin: `${plainHttp ? 'http' : 'https'}://${host}`, repository, version };
}
