import type { Endpoint } from '../worker/endpoint.ts';

/** The versions of the CRIUs that have answered, by the identity of their endpoint. */
export const knownVersions = new Map<string, CriuVersion>();

/** CRIU's answer to a VERSION request. */
export interface CriuVersion {
  /** 4 of 4.2.1. */
  readonly major: number;
  /** 2 of 4.2.1. */
  readonly minor: number;
  /** 1 of 4.2.1; 0 if it has none. */
  readonly sublevel: number;
  /** A fourth number, if it has one. */
  readonly extra?: number;
  /** The commit that it was built from, if it was built from a checkout. */
  readonly gitId?: string;
  /** The name of the release. */
  readonly name?: string;
  /** All of it to compare with: 40201 for 4.2.1. */
  readonly number: number;
}

/** A CRIU in words: `CRIU 4.2.1 (/usr/sbin/criu)`, without the version if it has not answered yet. */
export function describeCriu({ identity, name }: Endpoint): string {
  const version = knownVersions.get(identity);
  return version ? `CRIU ${dotted(version.number)} (${name})` : `CRIU (${name})`;
}

/** A version in words: 40201 is 4.2.1. */
export function dotted(number: number): string {
  return [Math.floor(number / 10000), Math.floor(number / 100) % 100, number % 100].join('.');
}
