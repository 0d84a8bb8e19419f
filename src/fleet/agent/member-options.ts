import type { ContainerPlacement } from '../../containers.ts';
import { invalid } from '../../errors.ts';
import {
  Criu,
  type MigrationAddress,
  type MigrationRestoreOptions,
  type TlsOptions,
} from '../../index.ts';
import { addresses } from '../../migration/protocol/address-options.ts';
import {
  anyObject,
  callbacks,
  check,
  checkOptions,
  object,
  required,
  type Shape,
} from '../../options/check.ts';
import { flag, integer, text } from '../../options/kinds.ts';
import { atLeastOne } from '../../options/operation-options.ts';
import { tlsMaterial } from '../../options/tls.ts';
import { isName, labels, name } from '../names.ts';
import { PERMISSIONS, type Permission } from '../orders/order.ts';
import { type FleetOperator, readPublicKey, type TrustedOperator } from '../orders/sign.ts';
import type { HostLimits, Labels } from '../view.ts';

/** Functions that an agent calls. */
export interface FleetMemberHooks {
  /** Something has failed that the agent goes on trying, such as to reach Redis. Errors of the function are ignored. */
  warning?(error: Error): void;
}

/** How a host takes containers. */
export interface MemberContainers {
  /** The directory with the bundles: `BUNDLES/ID` has the config.json of the container ID. */
  readonly bundles: string;
  /** The state directory of the runtime: runc's `--root`. Default `/run/runc`. */
  readonly root?: string;
  /** What the network devices of containers are connected to, as in the `network` of a `ContainerPlacement`. */
  readonly network?: NonNullable<ContainerPlacement['network']>;
}

/** What an agent needs to serve migrations, in the words of `criu.serveMigrations()`. */
export interface ServeOptions {
  readonly listen: { readonly host: string; readonly port: number; readonly pagePort?: number };
  readonly tls?: TlsOptions;
  readonly insecure?: boolean;
  readonly directory: string;
  readonly allowAddresses?: readonly MigrationAddress[];
  readonly bandwidth: number | undefined;
  readonly restore: MigrationRestoreOptions | undefined;
}

/** Options of {@link Fleet.join}. */
export interface JoinOptions {
  /** The name of this host, which is unique in the fleet. With `tls`, the certificate of the host must have it. */
  readonly name: string;
  /**
   * Where to take migrations, as for `criu.serveMigrations()`. Other hosts connect to this address. Choose a fixed port:
   * after a crash of this agent, they ask the next one there what has become of their workloads.
   */
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly pagePort?: number;
    /** The port of the same address on which checkpoints of other hosts come. Default: any that is free. */
    readonly checkpointPort?: number;
  };
  /** TLS material; all hosts of a fleet have certificates of one authority. */
  readonly tls?: TlsOptions;
  /** Migrate without TLS, which only loopback addresses allow. */
  readonly insecure?: boolean;
  /** Directory of the journals and images of this host. Default `/var/lib/node-criu`. */
  readonly directory?: string;
  /** The operators whose orders this host carries out. */
  readonly operators: readonly FleetOperator[];
  /** Labels of this host, by which workloads choose it. */
  readonly labels?: Labels;
  /** How much the host takes part in. */
  readonly limits?: Partial<HostLimits>;
  /** Ranges of addresses that workloads may bring to this host. Default: none. */
  readonly allowAddresses?: readonly MigrationAddress[];
  /** Options of the restores on this host. */
  readonly restore?: MigrationRestoreOptions;
  /** Takes containers as well. Default: it takes none. */
  readonly containers?: MemberContainers;
  /** The client of CRIU. Default: one of its own. */
  readonly criu?: Criu;
  /** How often the host says what it has, in milliseconds. It counts as lost after three times that. Default 5000. */
  readonly heartbeatMs?: number;
  /** Functions to call. */
  readonly hooks?: FleetMemberHooks;
}

/** {@link JoinOptions}, checked. */
export interface MemberOptions extends Omit<JoinOptions, 'limits' | 'operators'> {
  readonly directory: string;
  readonly heartbeatMs: number;
  readonly limits: HostLimits;
  readonly operators: readonly TrustedOperator[];
  readonly labels: Labels;
}

const OPERATION = 'join';
const DIRECTORY = '/var/lib/node-criu';
const HEARTBEAT_MS = 5000;
const MAX_HEARTBEAT_MS = 600_000;

const shape: Shape<JoinOptions> = {
  name: required(name),
  listen: required(
    object<JoinOptions['listen']>({
      host: required(text),
      port: required(integer(0, 65535)),
      pagePort: integer(0, 65535),
      checkpointPort: integer(0, 65535),
    }),
  ),
  tls: tlsMaterial,
  insecure: flag,
  directory: text,
  operators: required(
    check(
      'an array of { name, publicKey, may? }, with at least one operator',
      (value) => Array.isArray(value) && value.length > 0,
    ),
  ),
  labels,
  limits: object<Partial<HostLimits>>({
    incoming: integer(1, 1024),
    outgoing: integer(1, 1024),
    bandwidth: atLeastOne,
  }),
  allowAddresses: addresses,
  restore: anyObject,
  containers: object<MemberContainers>({ bundles: required(text), root: text, network: anyObject }),
  criu: check('a Criu', (value) => value instanceof Criu),
  heartbeatMs: integer(100, MAX_HEARTBEAT_MS),
  hooks: callbacks<FleetMemberHooks>(['warning']),
};

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkJoinOptions(given: JoinOptions): MemberOptions {
  const options = checkOptions(OPERATION, given, shape);
  const { directory = DIRECTORY, heartbeatMs = HEARTBEAT_MS, limits = {} } = options;
  const { incoming = 2, outgoing = 2, bandwidth } = limits;
  return {
    ...options,
    ...{ directory, heartbeatMs, labels: options.labels ?? {} },
    limits: { incoming, outgoing, bandwidth },
    operators: options.operators.map(readOperator),
  };
}

function readOperator(given: FleetOperator, index: number): TrustedOperator {
  const option = `operators[${index}]`;
  if (typeof given !== 'object' || given === null || !isName(given.name)) {
    throw invalid(OPERATION, option, 'an object { name, publicKey, may? }', given);
  }
  const { may = 'all', publicKey } = given;
  const isList = Array.isArray(may) && may.every((one) => PERMISSIONS.includes(one as Permission));
  if (may !== 'all' && !isList) {
    throw invalid(OPERATION, `${option}.may`, `'all', or a list of ${PERMISSIONS.join(', ')}`, may);
  }
  try {
    return { name: given.name, key: readPublicKey(publicKey), may };
  } catch (cause) {
    const takes = `an Ed25519 public key in PEM, or a KeyObject (${(cause as Error).message})`;
    throw invalid(OPERATION, `${option}.publicKey`, takes, publicKey);
  }
}
