import { InvalidArgumentError } from 'commander';
import type { Form } from './option-names.ts';

/** How the command line spells the values of an option. The library checks the values. */
interface Spelling {
  /** The placeholder of the value in `--help`; absent if the flag has no value. */
  readonly placeholder?: string;
  /** True if the flag can be repeated, with one item each. */
  readonly repeats?: true;
  /** True if `--help` lists the values that the library accepts. */
  readonly showsValues?: true;
  /** @param previous the result for the previous flags, if the flag can be repeated */
  read(text: string, previous: never): unknown;
}

const asIs = (text: string) => text;
const list = <T>(read: (text: string) => T, placeholder: string): Spelling => ({
  placeholder,
  repeats: true,
  read: (text, previous: readonly T[] = []) => [...previous, read(text)],
});
const record = <T>(placeholder: string, read: (value: string) => T): Spelling => ({
  placeholder,
  repeats: true,
  read(text, previous: Readonly<Record<string, T>> = {}) {
    const [name, value] = halves(text);
    return { ...previous, [name]: read(value) };
  },
});

/** The spelling of each form of value; the option `tls` has flags of its own, see tls-flags.ts. */
export const spellings: Readonly<Record<Exclude<Form, 'tls'>, Spelling>> = {
  flag: { read: () => true },
  text: { placeholder: '<text>', read: asIs },
  directory: { placeholder: '<dir>', read: asIs },
  name: { placeholder: '<name>', showsValues: true, read: asIs },
  integer: { placeholder: '<number>', showsValues: true, read: numberOr },
  mask: {
    placeholder: '<names>',
    showsValues: true,
    read: (text) => (isNumber(text) ? Number(text) : text.split(',')),
  },
  texts: list(asIs, '<text>'),
  inodes: list(numberOr, '<inode>'),
  pairs: record('<name=value>', asIs),
  inheritedFds: record('<name=descriptor>', numberOr),
  descriptor: { placeholder: '<descriptor>', read: numberOr },
  vethPairs: list((text) => {
    const [containerInterfaceName, hostInterfaceName] = halves(text);
    return { containerInterfaceName, hostInterfaceName };
  }, '<inside=outside>'),
  namespaces: list((text) => {
    const [, ns, file, extraOpt] = /^(\w+):([^,]+)(?:,(.*))?$/s.exec(text) ?? [];
    if (ns === undefined || file === undefined) throw malformed();
    return { ns, nsFile: numberOr(file), ...(extraOpt !== undefined && { extraOpt }) };
  }, '<kind:file-or-pid[,more]>'),
  pageServer: {
    placeholder: '<address:port>',
    read(text) {
      const [, address, port] = /^\[?(.*?)\]?:(\d+)$/s.exec(text) ?? [];
      if (address === undefined) throw malformed();
      if (address === 'fd') return { fd: Number(port) };
      return { ...(address !== '' && { address }), port: Number(port) };
    },
  },
};

/** Splits at the last `=`, because names such as paths can contain others. */
function halves(text: string): [string, string] {
  const at = text.lastIndexOf('=');
  if (at === -1) throw malformed();
  return [text.slice(0, at), text.slice(at + 1)];
}

function malformed(): InvalidArgumentError {
  return new InvalidArgumentError('The value is malformed.');
}

function isNumber(text: string): boolean {
  return /^(\d+|0x[\da-f]+)$/i.test(text);
}

function numberOr(text: string): number | string {
  return isNumber(text) ? Number(text) : text;
}
