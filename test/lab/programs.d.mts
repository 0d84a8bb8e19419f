import type { Host, Lab } from './hosts.mjs';

/** What an agent tells of an error of the library, as `facts` of its own. */
export interface TaskError extends Error {
  readonly facts: {
    readonly name: string;
    readonly code?: string;
    readonly message: string;
    readonly errno?: string;
    readonly workload?: string;
    readonly cancelled?: string;
    readonly leftovers?: readonly string[];
    readonly log?: { readonly errors: readonly string[] };
  };
}

declare class Program {
  /** On its host. */
  readonly pid: number;
  readonly ended: Promise<unknown>;
  /** Has it do a task; rejects with a {@link TaskError}, or if it ends meanwhile. */
  // biome-ignore lint/suspicious/noExplicitAny: what a task results in is known where it is asked for
  ask<T = any>(task: string, options?: object): Promise<T>;
  /** What is done when it calls for something by this name: it waits, and goes on or fails with it. */
  on(name: string, handler: (details?: unknown) => unknown): void;
  /** Sends it alone a signal, by default SIGKILL; resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Runs the library on a host; test/lab/agent.mjs has the tasks. */
export declare class Agent extends Program {}

/** Sends requests to the server and measures; test/lab/client.mjs has the tasks. */
export declare class Client extends Program {
  /** Starts to measure; resolves when answers come. */
  measure(options?: { patient?: boolean | undefined }): Promise<void>;
  /** Resolves when so many more have come, 10 by default. */
  answersOn(more?: number): Promise<void>;
}

/** What the tasks `stop` and `report` of a client tell. */
export interface Report {
  readonly answers: number;
  /** The last number that the server has answered. */
  readonly count: number;
  readonly longestGapMs: number;
  /** When that ended, by the clock, in ms. */
  readonly longestGapAt: number;
  /** 1 if the first has been kept. */
  readonly connections: number;
  /** Answers that did not come in order, and errors of the connection. */
  readonly faults: readonly { readonly at: number; readonly fault: string }[];
  /** When each answer came, by the clock, and how long after the one before, in ms. */
  readonly timeline: readonly (readonly [number, number])[];
}

/** What /verify of the server tells. */
export interface Verified {
  readonly ok: boolean;
  readonly wrong: readonly string[];
  readonly count: number;
  readonly writes: number;
  readonly workerTicks: number;
  readonly childTicks: number;
}

export declare function startAgent(host: Host): Promise<Agent>;
export declare function startClient(lab: Lab): Promise<Client>;

/** Starts test/lab/server.mjs by an agent; resolves with its pid there when it listens. */
export declare function startServer(
  lab: Lab,
  agent: Agent,
  options?: {
    heap?: number;
    hot?: number;
    rate?: number | 'max';
    worker?: boolean;
    child?: boolean;
  },
): Promise<number>;

/** Runs scripts/bench/by-hand.sh; resolves with what each step took, in ms. */
export declare function migrateByHand(
  lab: Lab,
  pid: number,
  from: Host,
  to: Host,
): Promise<Record<'dump' | 'move' | 'restore', number>>;

/** Runs scripts/bench/peers/phaul.go; resolves with the bytes of all images. */
export declare function migrateByPhaul(
  lab: Lab,
  pid: number,
  from: Host,
  to: Host,
): Promise<number>;
