import { InvalidArgumentError } from 'commander';
import type { DumpStats } from '../index.ts';

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The placeholder in `--help` for what {@link milliseconds} parses. */
export const DURATION = '<duration>';

/** Parses a duration such as `100ms`, `10s`, `1.5m`, `1h` or `7d` to milliseconds. */
export function milliseconds(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('Give a duration such as 100ms, 10s or 5m.');
  return Math.round(Number(number) * (MILLISECONDS[unit] as number));
}

const POWERS: Readonly<Record<string, number>> = { '': 0, k: 10, m: 20, g: 30 };

/** Parses a size such as `1048576`, `512k`, `64MiB` or `1g` (powers of 1024) to bytes. */
export function bytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(?:([kmg])(?:ib)?)?$/i.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('Give a size such as 1048576, 64MiB or 1g.');
  return Math.round(Number(number) * 2 ** (POWERS[unit.toLowerCase()] as number));
}

/** Parses a non-negative integer. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Give a non-negative integer.');
  return Number(text);
}

/** Parses a port; 0 stands for any free one. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new InvalidArgumentError('Give a port from 0 to 65535.');
  }
  return Number(text);
}

/** Parses a pid. */
export function pid(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new InvalidArgumentError('Give a pid, a positive integer.');
  return Number(text);
}

/** Parses an endpoint: `192.0.2.1:7007`, `host:7007` or `[2001:db8::1]:7007`. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? plain;
  if (host === undefined || Number(port) > 65535) {
    throw new InvalidArgumentError(
      'Give an endpoint such as 192.0.2.1:7007 or [2001:db8::1]:7007.',
    );
  }
  return { host, port: Number(port) };
}

/** Parses an endpoint, or a port alone, which stands for 127.0.0.1. */
export function localAddress(text: string): ReturnType<typeof hostAndPort> {
  return hostAndPort(text.includes(':') ? text : `127.0.0.1:${text}`);
}

/** Formats an endpoint as {@link hostAndPort} parses it. */
export function formatEndpoint({ host, port }: ReturnType<typeof hostAndPort>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Formats a number of bytes, such as `1.5 MiB` or `150 MiB`. */
export function formatBytes(size: number): string {
  if (size < 2 ** 10) return `${size} bytes`;
  const [power, unit] = size < 2 ** 20 ? [10, 'KiB'] : size < 2 ** 30 ? [20, 'MiB'] : [30, 'GiB'];
  const value = size / 2 ** (power as number);
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${unit}`;
}

/** Formats a time, such as `250 ms` or `1.5 s`. */
export function formatDuration(timeMs: number): string {
  return timeMs < 1000 ? `${Math.round(timeMs)} ms` : `${(timeMs / 1000).toFixed(1)} s`;
}

/** A time in ISO 8601, without fractions of seconds. */
export function formatTime(time: string): string {
  return time.replace(/\.\d+/, '');
}

/** What a dump has written, and how long the processes were frozen. */
export function formatDump({ bytesWritten, frozenTimeMs }: DumpStats): string {
  return `${formatBytes(bytesWritten)}, frozen for ${formatDuration(frozenTimeMs)}`;
}
