import { InvalidArgumentError } from 'commander';

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** How `--help` calls what {@link milliseconds} takes. */
export const DURATION = '<duration>';

/** `100ms`, `10s`, `1.5m`, `1h`: a time, in milliseconds. */
export function milliseconds(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('A duration is like 100ms, 10s or 5m.');
  return Math.round(Number(number) * (MILLISECONDS[unit] as number));
}

const POWERS: Readonly<Record<string, number>> = { '': 0, k: 10, m: 20, g: 30 };

/** `1048576`, `512k`, `64MiB`, `1g`: a number of bytes, by powers of 1024. */
export function bytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(?:([kmg])(?:ib)?)?$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('A size is like 1048576, 64MiB or 1g.');
  return Math.round(Number(number) * 2 ** (POWERS[unit.toLowerCase()] as number));
}

/** A whole number from 0 on. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

/** A port, or 0 for any that is free. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new InvalidArgumentError('A port is a number up to 65535.');
  }
  return Number(text);
}

/** The pid of a process. */
export function pid(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('A pid is a number.');
  return Number(text);
}

/** `192.0.2.1:7007`, `host:7007` or `[2001:db8::1]:7007`: where somebody listens. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? plain;
  if (host === undefined || Number(port) > 65535) {
    throw new InvalidArgumentError('It is like 192.0.2.1:7007 or [2001:db8::1]:7007.');
  }
  return { host, port: Number(port) };
}

/** A number of bytes for people. */
export function shownBytes(size: number): string {
  if (size < 2 ** 10) return `${size} bytes`;
  const [power, unit] = size < 2 ** 20 ? [10, 'KiB'] : size < 2 ** 30 ? [20, 'MiB'] : [30, 'GiB'];
  return `${(size / 2 ** (power as number)).toFixed(1)} ${unit}`;
}

/** A time for people. */
export function shownTime(time: number): string {
  return time < 1000 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(1)} s`;
}
