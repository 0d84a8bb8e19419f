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
  /** The fourth number of the version, if it has one. */
  readonly extra?: number;
  /** The git commit of the build; undefined if CRIU was built from a release archive. */
  readonly gitId?: string;
  /** The name of the release. */
  readonly name?: string;
  /** The version as one comparable number: 40201 for 4.2.1. */
  readonly number: number;
}

/** Names a CRIU in messages: `CRIU 4.2.1 (/usr/sbin/criu)`; without the version if not known yet. */
export function describeCriu({ identity, name }: Endpoint): string {
  const version = knownVersions.get(identity);
  return version ? `CRIU ${dotted(version.number)} (${name})` : `CRIU (${name})`;
}

/** Formats a version number: 40201 becomes 4.2.1. */
export function dotted(number: number): string {
  return [Math.floor(number / 10000), Math.floor(number / 100) % 100, number % 100].join('.');
}
