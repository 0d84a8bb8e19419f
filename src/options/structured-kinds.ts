import { isRecord } from './check.ts';
import { each, integer, isInteger, isText, type Kind, kind, openDescriptorOf } from './kinds.ts';

/** A record, which the request has as a list of pairs with these two field names. */
export const pairs = (
  keyName: string,
  valueName: string,
  options: { keyOptional?: true } = {},
): Kind =>
  kind('pairs', 'a record of strings', (value) =>
    isRecord(value)
      ? each(Object.entries(value), ([key, text]) => {
          if (!isText(text)) return undefined;
          if (key === '' && options.keyOptional) return { [valueName]: text };
          return isText(key) ? { [keyName]: key, [valueName]: text } : undefined;
        })
      : undefined,
  );

/** Inode numbers of unix sockets. */
export const inodes = kind('inodes', 'an array of inode numbers', (value) =>
  Array.isArray(value)
    ? each(value, (inode) => (isInteger(inode, 0, 0xffffffff) ? { inode } : undefined))
    : undefined,
);

/** Pairs of network interfaces. */
export const vethPairs = kind(
  'vethPairs',
  'an array of { containerInterfaceName, hostInterfaceName }',
  (value) =>
    Array.isArray(value)
      ? each(value, (pair) => {
          const names = withKeys(pair, ['containerInterfaceName', 'hostInterfaceName']);
          return isText(names?.containerInterfaceName) && isText(names.hostInterfaceName)
            ? { if_in: names.containerInterfaceName, if_out: names.hostInterfaceName }
            : undefined;
        })
      : undefined,
);

const joinable = ['ipc', 'net', 'time', 'user', 'uts'];

/** Namespaces to join. */
export const namespaces = kind(
  'namespaces',
  `an array of { ns: ${joinable.map((ns) => `'${ns}'`).join(' | ')}, nsFile: path or pid, extraOpt? }`,
  (value) =>
    Array.isArray(value)
      ? each(value, (one) => {
          const { ns, nsFile, extraOpt } = withKeys(one, ['ns', 'nsFile', 'extraOpt']) ?? {};
          if (!joinable.includes(ns as string)) return undefined;
          if (!isText(nsFile) && !isInteger(nsFile, 1, 0x7fffffff)) return undefined;
          if (extraOpt !== undefined && !isText(extraOpt)) return undefined;
          return {
            ns,
            ns_file: String(nsFile),
            ...(extraOpt !== undefined && { extra_opt: extraOpt }),
          };
        })
      : undefined,
);

const port = integer(0, 65535);

/** An address, or a connected socket, which criu inherits. */
export const pageServer = kind(
  'pageServer',
  "{ address?: string, port?: 0 to 65535 } or { fd: a connected socket's descriptor }",
  (value, plan) => {
    const { address, port: number, fd } = withKeys(value, ['address', 'port', 'fd']) ?? {};
    if (fd !== undefined) {
      const own = openDescriptorOf(fd);
      if (own === undefined || address !== undefined || number !== undefined) return undefined;
      return { fd: plan.inherit(own) };
    }
    if (address !== undefined && !isText(address)) return undefined;
    if (number !== undefined && port.encode(number, plan) === undefined) return undefined;
    if (address === undefined && number === undefined) return undefined;
    return {
      ...(address !== undefined && { address }),
      ...(number !== undefined && { port: number }),
    };
  },
);

/** Descriptors that criu inherits, by their name in the images. */
export const inheritedFds = kind(
  'inheritedFds',
  'a record of open descriptors: numbers, FileHandles or Sockets',
  (value, plan) =>
    isRecord(value)
      ? each(Object.entries(value), ([key, like]) => {
          const fd = openDescriptorOf(like);
          return isText(key) && fd !== undefined ? { key, fd: plan.inherit(fd) } : undefined;
        })
      : undefined,
);

/** Copies an object if it has no other keys than `keys`, so that a typo is not ignored. */
function withKeys(value: unknown, keys: readonly string[]): Record<string, unknown> | undefined {
  return isRecord(value) && Object.keys(value).every((key) => keys.includes(key))
    ? { ...value }
    : undefined;
}
