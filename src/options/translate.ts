import { CriuError, invalid, unknownOption } from '../errors.ts';
import type { criu_opts__Output as CriuWireOpts } from '../generated/types/criu_opts.ts';
import { type Check, checkValue, closestName, object, type Shape } from './check.ts';
import { flag, type Plan } from './kinds.ts';
import { type Operation, type Row, rowOf } from './table.ts';
import { tlsMaterialOrNone } from './tls.ts';
import type { CriuOpts } from './types.ts';

/** The options of an operation, in the form of its request. */
export interface Translation {
  /** Fields of the request. */
  readonly wire: Partial<CriuWireOpts>;
  /** Descriptors that criu inherits: `[number in criu, number here]`. */
  readonly inherited: readonly (readonly [number, number])[];
  /** The option that needs the newest CRIU. */
  readonly newest: { readonly option: string; readonly since: number } | undefined;
}

/** The first number of inherited descriptors in criu, after its standard streams and the socket of swrk. */
const FIRST_INHERITED = 4;

/** Fields whose value is set elsewhere: directories are opened first, and statusFd is runc's. */
const setElsewhere: ReadonlySet<keyof CriuWireOpts> = new Set([
  'images_dir_fd',
  'work_dir_fd',
  'status_fd',
]);

/**
 * Validates the options of an operation against the table, and translates them into a request.
 * @param caller the name of the operation in errors, if it is another
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT with the name of the first wrong option
 */
export function translate(
  operation: Operation,
  options: Readonly<CriuOpts>,
  caller: string = operation,
): Translation {
  const wire: Record<string, unknown> = {};
  const inherited: [number, number][] = [];
  let newest: Translation['newest'];
  const plan: Plan = {
    inherit(fd) {
      const number = FIRST_INHERITED + inherited.length;
      inherited.push([number, fd]);
      return number;
    },
  };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const [field, row] = lookUp(operation, name, caller);
    const encoded = row.kind.encode(checkValue(caller, name, row.kind, value), plan);
    if (row.kind.form === 'tls') Object.assign(wire, encoded);
    else if (field && !setElsewhere.has(field)) wire[field] = encoded;
    if (row.since > (newest?.since ?? 0)) newest = { option: name, since: row.since };
  }
  checkTogether(operation, options, wire.ps as CriuWireOpts['ps'], caller);
  // As in runc: without memory tracking CRIU would write every page again.
  if (operation !== 'pageServer' && options.parentImage !== undefined) wire.track_mem ??= true;
  // CRIU's page server would compare the name of its client with its own address, which no two hosts have in common.
  if (operation === 'pageServer' && wire.tls === true) wire.tls_no_cn_verify = true;
  // CRIU reads the inodes only if the request has the field ext_unix_sk.
  if (options.unixSkIno !== undefined) wire.ext_unix_sk ??= false;
  return { wire, inherited, newest };
}

/** Adds the defaults that the operation takes. An option that is undefined counts as absent. */
export function withDefaults(
  operation: Operation,
  options: Readonly<CriuOpts>,
  defaults: Readonly<CriuOpts>,
): CriuOpts {
  const taken = Object.entries(defaults).filter(([name]) =>
    rowOf.get(name)?.[1].operations.includes(operation),
  );
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...taken, ...given]);
}

/** The checks of all options, with CRIU's name of each as an alias. */
const everyOption: Readonly<Record<string, Check>> = {
  preDump: flag,
  ...Object.fromEntries(
    [...rowOf].map(([option, [field, { kind }]]) => [
      option,
      field ? { ...kind, alias: field } : kind,
    ]),
  ),
  // Some operations accept only paths, which they check themselves.
  tls: tlsMaterialOrNone,
};

/** What `defaults` of a client takes: the options of all operations, without checking combinations. */
export const defaultOptions: Check = object<CriuOpts>(
  everyOption as Shape<CriuOpts>,
  'an object of options',
);

function lookUp(
  operation: Operation,
  name: string,
  caller: string,
): readonly [keyof CriuWireOpts | undefined, Row] {
  const found = rowOf.get(name);
  if (!found) throw unknown(caller, name);
  if (!found[1].operations.includes(operation)) {
    throw new CriuError(
      'ERR_CRIU_INVALID_ARGUMENT',
      `${caller}: takes no option ${name}, which is for ${found[1].operations.join(', ')}`,
      { operation: caller, option: name },
    );
  }
  return found;
}

function unknown(operation: string, name: string): CriuError {
  const meant = name === 'preDump' ? 'the method checkpoint' : closestName(name, everyOption);
  return unknownOption(operation, name, meant);
}

/** Checks combinations of options. */
function checkTogether(
  operation: Operation,
  options: Readonly<CriuOpts>,
  ps: CriuWireOpts['ps'],
  caller: string,
): void {
  const { pageServer, statusFd, lazyPages, imagesDirectory, tls } = options;
  if (operation !== 'check' && imagesDirectory === undefined) {
    throw invalid(caller, 'imagesDirectory', 'a path or an open descriptor', undefined);
  }
  if (statusFd !== undefined && !lazyPages) {
    throw invalid(caller, 'statusFd', 'lazyPages: true together with it', statusFd);
  }
  if (ps && operation !== 'pageServer') {
    if (ps.fd === undefined && !ps.port) {
      throw invalid(caller, 'pageServer', 'the port of a page server, 1 to 65535', pageServer);
    }
    // Without an address CRIU aborts. With lazyPages the default is this host.
    if (ps.fd === undefined && ps.address === undefined && !lazyPages) {
      throw invalid(caller, 'pageServer', 'the address of a page server', pageServer);
    }
    if (ps.fd !== undefined && tls) {
      throw invalid(
        caller,
        'tls',
        'a page server with an address: on a descriptor CRIU sends without encryption',
        tls,
      );
    }
  }
}
