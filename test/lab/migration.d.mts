import type { DumpOptions, MigrateOptions, MigrationResult } from '../../src/index.ts';
import type { Host, Lab } from './hosts.mjs';
import type { Agent, Client } from './programs.mjs';

/** A server on host a, and what is needed to move it. */
export interface Scene {
  readonly here: Agent;
  readonly there: Agent;
  /** The same, by the names of their hosts. */
  readonly agents: Readonly<Record<string, Agent>>;
  readonly tls: Readonly<Record<'a' | 'b', { ca: string; cert: string; key: string }>>;
  /** Of the server, on both hosts. */
  readonly pid: number;
  readonly client: Client;
}

export declare const DUMP: Partial<DumpOptions>;

export declare function startScene(
  lab: Lab,
  options?: {
    heap?: number;
    hot?: number;
    rate?: number;
    worker?: boolean;
    child?: boolean;
    patient?: boolean;
  },
): Promise<Scene>;

export declare function migrateIt(
  lab: Lab,
  scene: Scene,
  options?: Partial<MigrateOptions>,
  /** From host a to host b, unless it is said. */
  way?: { readonly from: Host; readonly to: Host },
): Promise<{
  result: MigrationResult;
  /** Each phase and when it began, by the clock, in ms. */
  phases: readonly (readonly [phase: string, at: number])[];
}>;
