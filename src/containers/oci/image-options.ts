import {
  check,
  checkOptions,
  either,
  object,
  record,
  required,
  type Shape,
} from '../../options/check.ts';
import { flag, oneOf, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import {
  archiveCompression,
  type ReadArchiveOptions,
  readArchiveShape,
  withLimits,
} from '../archive/archive-options.ts';
import type { ArchiveCompression } from '../archive/compression.ts';

/** Options of {@link writeCheckpointImage}. */
export interface WriteImageOptions {
  /** The name of the image in the layout, such as `web:latest`. Default: none. */
  name?: string;
  /**
   * `layer`: an image whose layer has the members of the archive, which podman and CRI-O restore. `containerd`: an index
   * as `ctr containers checkpoint` makes it, which `ctr containers restore` restores; its annotations name the image,
   * the runtime (`io.containerd.checkpoint.runtime`, by default `io.containerd.runc.v2`) and the snapshotter
   * (`io.containerd.checkpoint.snapshotter`, by default `overlayfs`) of the container. Default `layer`.
   */
  format?: 'layer' | 'containerd';
  /** How the layer is compressed. Default `gzip`, which every engine reads. That of containerd always is. */
  compression?: ArchiveCompression;
  /**
   * Annotations besides those that say what the image is, or instead of them: for example
   * `io.podman.annotations.checkpoint.runtime.version`.
   */
  annotations?: Readonly<Record<string, string>>;
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

/** Options of {@link readCheckpointImage}. */
export interface ReadImageOptions extends ReadArchiveOptions {
  /** The name of the image in the layout. Default: the only one. */
  name?: string;
}

/** How to connect to a registry. */
export interface RegistryOptions {
  /** What the registry asks for: a user and a password, or a token. Default: nothing. */
  auth?: RegistryPassword | RegistryToken;
  /**
   * Use HTTP instead of HTTPS, which only a registry on this host (127.0.0.1, ::1, localhost) may have. Default false.
   */
  plainHttp?: boolean;
}

/** A user of a registry. */
export interface RegistryPassword {
  /** The name of the user. */
  username: string;
  /** The password. */
  password: string;
}

/** A bearer token of a registry. */
export interface RegistryToken {
  /** The token. */
  token: string;
}

/** Options of {@link pushCheckpointImage}. */
export interface PushImageOptions
  extends Omit<WriteImageOptions, 'name' | 'format'>,
    RegistryOptions {}

/** Options of {@link pullCheckpointImage}. */
export interface PullImageOptions extends ReadArchiveOptions, RegistryOptions {}

const writeShape: Shape<Omit<WriteImageOptions, 'name' | 'format'>> = {
  compression: archiveCompression,
  annotations: record(
    'an object of strings',
    (name) => name !== '',
    check('a string', (value) => typeof value === 'string'),
  ),
  signal: abortSignal,
};
const password = object<RegistryPassword>({ username: required(text), password: required(text) });
const token = object<RegistryToken>({ token: required(text) });
const isToken = (value: unknown) => typeof value === 'object' && value !== null && 'token' in value;
const registryShape: Shape<RegistryOptions> = {
  auth: either({ ...token, accepts: isToken }, password),
  plainHttp: flag,
};

/** Checks the options. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function writeImageOptions(operation: string, given: WriteImageOptions) {
  const format = oneOf({ layer: 'layer', containerd: 'containerd' });
  return withContent(checkOptions(operation, given, { ...writeShape, name: text, format }));
}

/** Checks the options. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function pushImageOptions(operation: string, given: PushImageOptions) {
  return withContent(checkOptions(operation, given, { ...writeShape, ...registryShape }));
}

/** Checks the options. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function readImageOptions(operation: string, given: ReadImageOptions) {
  return withLimits(checkOptions(operation, given, { ...readArchiveShape, name: text }));
}

/** Checks the options. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function pullImageOptions(operation: string, given: PullImageOptions) {
  return withLimits(checkOptions(operation, given, { ...readArchiveShape, ...registryShape }));
}

function withContent<T extends Omit<WriteImageOptions, 'name' | 'format'>>(options: T) {
  const { compression = 'gzip', annotations = {}, signal } = options;
  return { ...options, content: { compression, annotations, signal } };
}
