import { InvalidArgumentError } from 'commander';
import type { ListenEdit } from '../images.ts';

type Pairs = Readonly<Record<string, string>>;

/** Parses a variable of the environment, `NAME=VALUE`; the flag can be repeated. */
export function variable(text: string, previous: Pairs = {}): Pairs {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('Give a variable such as NAME=VALUE.');
  }
  return { ...previous, [name]: value };
}

/** Parses a path and what takes its place, `/old=/new`; the flag can be repeated. */
export function pathPair(text: string, previous: Pairs = {}): Pairs {
  const [, from, to] = /^(\/.*)=(\/.*)$/s.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw new InvalidArgumentError('Give absolute paths such as /old=/new.');
  }
  return { ...previous, [from]: to };
}

/** Parses where a socket listens and is to listen, `8080=9090`; the flag can be repeated. */
export function listenPair(text: string, previous: readonly ListenEdit[] = []): ListenEdit[] {
  const [, from, to] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw new InvalidArgumentError('Give ports such as 8080=9090, or 0.0.0.0:8080=127.0.0.1:9090.');
  }
  return [...previous, { from, to }];
}

/** Collects the values of a flag that can be repeated. */
export function eachText(text: string, previous: readonly string[] = []): string[] {
  return [...previous, text];
}
