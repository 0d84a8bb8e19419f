import { invalid } from '../errors.ts';
import { argumentList, environment as variables } from '../launch/launch-options.ts';
import { check, checkOptions, required, type Shape } from '../options/check.ts';
import { flag, integer, isText, text } from '../options/kinds.ts';
import { abortSignal, milliseconds } from '../options/operation-options.ts';
import type { DescriptorLike } from '../options/types.ts';
import { output } from './template-options.ts';

/** A port of the host that leads to a port of a copy. */
export interface PublishedPort {
  /** The address of the host to listen on. Default 127.0.0.1. */
  host?: string;
  /** The port of the host; 0 (default) for any that is free. */
  port?: number;
  /** The port in the network of the copy. */
  to: number;
}

/**
 * The network of a copy.
 * - `'host'`: that of this process.
 * - `'own'`: a new one with a loopback device only.
 * - A path such as `/run/netns/blue`: that existing network namespace.
 */
export type CopyNetwork = 'host' | 'own' | (string & {});

/** What a standard stream of a copy is connected to: nothing, a pipe to this process, a file, or a descriptor. */
export type CopyOutput = 'ignore' | 'pipe' | (string & {}) | DescriptorLike;

/** What a copy is restored into: it cannot be changed later. */
export interface CopyEnvironment {
  /** The network. Default `'own'` with `publish` and for a template with the namespace `net`, else `'host'`. */
  network?: CopyNetwork;
  /**
   * Ports of the host that this process forwards to the copy, while both run; the copy is then in a network of
   * its own. Default: none.
   */
  publish?: readonly PublishedPort[];
  /** Standard output. Default `'ignore'`. A file is appended to. */
  stdout?: CopyOutput;
  /** Standard error. Default `'ignore'`. */
  stderr?: CopyOutput;
  /**
   * Let the kernel share pages with equal contents among copies (PR_SET_MEMORY_MERGE, Linux 6.4), which it does while
   * /sys/kernel/mm/ksm/run is 1. Default false.
   */
  mergeMemory?: boolean;
  /**
   * Let the copy run before all of its memory is loaded: a page is loaded when the copy touches it, and meanwhile the
   * others are, by a process that ends with that. The pages that earlier copies of this {@link Template} have waited for
   * are there before it runs. Default: true where the kernel has userfaultfd.
   */
  lazyPages?: boolean;
}

/** What a copy is told when it begins to run. */
export interface CopyIdentity {
  /**
   * Tells the copy apart, also in `onAfterRestore()`, and is the host name of a program that loads `node-criu/guest`
   * in a template with the namespace `uts`. At most 64 characters. Default: its id.
   */
  name?: string;
  /**
   * Variables for the environment of the program, in addition to those that it has; undefined removes one. Needs a
   * program with `node-criu/guest`.
   */
  env?: Readonly<Record<string, string | undefined>>;
  /** Arguments in the place of those of the program. Needs a program with `node-criu/guest`. */
  args?: readonly string[];
  /** How long the functions of `onAfterRestore()` may take, in milliseconds. Default 30000. */
  guestTimeoutMs?: number;
  /** Cancels the start of the copy, which is then ended. */
  signal?: AbortSignal;
}

/** Options of {@link Template.start}. */
export interface CopyOptions extends CopyEnvironment, CopyIdentity {}

const isOutput = (value: unknown) => isText(value) || output.accepts(value);
const stream = check("'ignore', 'pipe', a path or an open descriptor", isOutput);

const port: Shape<PublishedPort> = {
  host: text,
  port: integer(0, 65_535),
  to: required(integer(1, 65_535)),
};

const environmentShape: Shape<CopyEnvironment> = {
  network: text,
  publish: {
    ...check('an array of { host?, port?, to }', Array.isArray),
    read: (operation, option, value) =>
      (value as PublishedPort[]).map((one, index) =>
        checkOptions(operation, one, port, `${option}[${index}]`),
      ),
  },
  stdout: stream,
  stderr: stream,
  mergeMemory: flag,
  lazyPages: flag,
};

const identityShape: Shape<CopyIdentity> = {
  name: check('a string of 1 to 64 characters', (value) => isText(value) && value.length <= 64),
  env: {
    ...variables,
    read(operation, option, value) {
      variables.read?.(operation, option, value);
      return { ...(value as object) };
    },
  },
  args: argumentList,
  guestTimeoutMs: milliseconds,
  signal: abortSignal,
};

/**
 * Validates the options of a copy.
 * @param hasGuest the program of the template can be told something
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function checkCopyOptions(
  operation: string,
  given: CopyOptions,
  hasGuest: boolean,
): CopyOptions {
  const options = checkOptions(operation, given, { ...environmentShape, ...identityShape });
  assertOwnNetwork(operation, options);
  assertGuest(operation, options, hasGuest);
  return options;
}

/** Validates what copies are restored into. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkCopyEnvironment(operation: string, given: CopyEnvironment): CopyEnvironment {
  const options = checkOptions(operation, given, environmentShape);
  assertOwnNetwork(operation, options);
  return options;
}

/** Validates what a copy is told. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkCopyIdentity(
  operation: string,
  given: CopyIdentity,
  hasGuest: boolean,
): CopyIdentity {
  const options = checkOptions(operation, given, identityShape);
  assertGuest(operation, options, hasGuest);
  return options;
}

function assertOwnNetwork(operation: string, { network, publish = [] }: CopyEnvironment): void {
  if (network !== 'host' || publish.length === 0) return;
  throw invalid(
    operation,
    'network',
    "'own' or the path of a network namespace with publish",
    network,
  );
}

/** A program without the guest library cannot be told anything. */
function assertGuest(operation: string, options: CopyIdentity, hasGuest: boolean): void {
  for (const option of ['env', 'args'] as const) {
    if (hasGuest || options[option] === undefined) continue;
    const takes = 'no value for a template whose program does not load node-criu/guest';
    throw invalid(operation, option, takes, options[option]);
  }
}
