import { fstatSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { type Check, check } from './check.ts';
import type { DescriptorLike, DirectoryLike } from './types.ts';

/** Collects what options need besides their fields in the request. */
export interface Plan {
  /** Lets criu inherit a descriptor; returns its number in criu. */
  inherit(fd: number): number;
}

/** The form of a value, regardless of its meaning: it decides how the value is given on a command line. */
export type Form =
  | 'flag'
  | 'text'
  | 'texts'
  | 'integer'
  | 'name'
  | 'mask'
  | 'pairs'
  | 'inodes'
  | 'vethPairs'
  | 'namespaces'
  | 'pageServer'
  | 'inheritedFds'
  | 'descriptor'
  | 'directory'
  | 'tls';

/** What an option of CRIU takes, and how its value becomes a field of the request. */
export interface Kind extends Check {
  readonly form: Form;
  /** Returns the value of the field, or undefined if the option does not take `value`. */
  encode(value: unknown, plan: Plan): unknown;
}

/** For a value that is checked but not sent. */
const noPlan: Plan = { inherit: (fd) => fd };

/** Makes a kind. A value that cannot be read (a getter throws, a proxy is revoked) is refused. */
export const kind = (form: Form, takes: string, encode: Kind['encode']): Kind => {
  const safely: Kind['encode'] = (value, plan) => {
    try {
      return encode(value, plan);
    } catch {
      return undefined;
    }
  };
  return {
    form,
    takes,
    encode: safely,
    accepts: (value) => safely(value, noPlan) !== undefined,
  };
};

/** True for a string that a program can be given: without NUL, and without half a surrogate pair. */
export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !/[\0\p{Surrogate}]/u.test(value);

/** True for an integer within these limits, both included. */
export const isInteger = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Converts each element; undefined if one is refused, or the array has a hole. */
export function each<T, U>(
  values: readonly T[],
  encode: (value: T) => U | undefined,
): U[] | undefined {
  const encoded: U[] = [];
  for (let index = 0; index < values.length; index++) {
    const one = encode(values[index] as T);
    if (one === undefined) return undefined;
    encoded.push(one);
  }
  return encoded;
}

/** The descriptor in a {@link DescriptorLike}, or undefined if it has none, or has closed it. */
export function descriptorOf(value: unknown): number | undefined {
  let fd = value;
  if (isObject(value)) {
    // A net.Socket has no public property for its descriptor, but its handle has.
    const handle = value._handle as { fd?: unknown } | null | undefined;
    fd = value.fd ?? handle?.fd;
  }
  return isInteger(fd, 0, 0x7fffffff) ? fd : undefined;
}

/** The path by which the files of a directory can be read while a descriptor is open. */
export function directoryPath(directory: DirectoryLike | undefined): string {
  return typeof directory === 'string' ? directory : `/proc/self/fd/${descriptorOf(directory)}`;
}

/** The same, or undefined if the number is not open in this process. */
export function openDescriptorOf(value: unknown): number | undefined {
  try {
    const fd = descriptorOf(value);
    if (fd !== undefined) fstatSync(fd);
    return fd;
  } catch {
    return undefined;
  }
}

/** True for a path, or an open descriptor. */
export function isDirectory(value: unknown): value is DirectoryLike {
  return isText(value) || openDescriptorOf(value) !== undefined;
}

/** True or false. */
export const flag = kind('flag', 'a boolean', (value) =>
  typeof value === 'boolean' ? value : undefined,
);

/** A string that is not empty. */
export const text = kind('text', 'a non-empty string', (value) =>
  isText(value) ? value : undefined,
);

/** The path of a file or directory, which CRIU opens when it has changed into the directory of the images. */
export const path = kind('text', 'a non-empty string', (value) =>
  isText(value) ? (isAbsolute(value) ? value : resolve(value)) : undefined,
);

/** The name of a file, without its directory. */
export const fileName = kind('text', 'a file name without a slash', (value) =>
  isText(value) && !value.includes('/') && value !== '.' && value !== '..' ? value : undefined,
);

/** A list of strings that are not empty. */
export const texts = kind('texts', 'an array of non-empty strings', (value) =>
  Array.isArray(value) ? each(value, (one) => (isText(one) ? one : undefined)) : undefined,
);

/** Names of cgroup controllers. CRIU calls the hierarchy of cgroup v2 `''`. */
export const controllers = kind(
  'texts',
  "an array of controller names, with '' for cgroup v2",
  (value) =>
    Array.isArray(value)
      ? each(value, (name) => (name === '' || isText(name) ? name : undefined))
      : undefined,
);

/** An integer within these limits, both included. */
export const integer = (least: number, most: number): Kind =>
  kind('integer', `an integer from ${least} to ${most}`, (value) =>
    isInteger(value, least, most) ? value : undefined,
  );

/** The id of a process. */
export const pid: Check = check('a positive integer', (value) => isInteger(value, 1, 0x7fffffff));

/** One of the names, each with the value of the field. */
export const oneOf = (values: Readonly<Record<string, string>>): Kind =>
  kind(
    'name',
    `one of ${Object.keys(values)
      .map((name) => `'${name}'`)
      .join(', ')}`,
    (value) =>
      typeof value === 'string' && Object.hasOwn(values, value) ? values[value] : undefined,
  );

/** A bit mask, as a number or as names of bits. */
export const mask = (bits: Readonly<Record<string, number>>, allowed: number): Kind =>
  kind(
    'mask',
    `an array of ${Object.keys(bits)
      .map((name) => `'${name}'`)
      .join(', ')}, or a mask within 0x${allowed.toString(16)}`,
    (value) => {
      if (isInteger(value, 0, 0xffffffff)) return (value & ~allowed) === 0 ? value : undefined;
      if (!Array.isArray(value)) return undefined;
      const named = each(value, (name) =>
        typeof name === 'string' && Object.hasOwn(bits, name) ? bits[name] : undefined,
      );
      return named?.reduce((sum, bit) => (sum | bit) >>> 0, 0);
    },
  );

/** A descriptor that stays in this process; CRIU opens it through /proc. */
export const descriptor = kind(
  'descriptor',
  'an open descriptor: a number, a FileHandle or a Socket',
  openDescriptorOf,
);

/** A descriptor that the operation closes. A Node.js object is refused, because it would close it again. */
export const ownDescriptor = kind('descriptor', 'the number of an open descriptor', (value) =>
  typeof value === 'number' ? openDescriptorOf(value) : undefined,
);

/** A directory, which the operation opens. */
export const directory = kind('directory', 'a path or an open descriptor', (value) =>
  isDirectory(value) ? (value as DescriptorLike) : undefined,
);
