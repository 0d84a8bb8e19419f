import type { ChildProcess, SpawnOptions } from 'node:child_process';

/** Two hosts and a client on a bridge, and an address that moves between the hosts. */
export declare class Lab implements AsyncDisposable {
  /** Makes all of it; `parent` is where its directory is made, the temporary one by default. */
  static start(options?: { parent?: string }): Promise<Lab>;
  /** On the first host to begin with; a socket can be bound to it on either. */
  readonly serviceAddress: string;
  /** A directory that all of them see. */
  readonly directory: string;
  readonly a: Host;
  readonly b: Host;
  readonly client: Host;
  /** Takes the service address from the one, gives it to the other, and tells everybody. */
  moveService(from: Host, to: Host): Promise<void>;
  /** The first half of that. */
  takeService(from: Host): Promise<void>;
  /** The second half. */
  giveService(to: Host): Promise<void>;
  /** Ends and removes all of it, and what runs in it. May be called again. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Network, pid and mount namespaces, with a /proc and a /run of their own; all else is shared. */
export declare class Host {
  readonly name: string;
  readonly address: string;
  /** The pid outside of its first process, which is in all of its namespaces. */
  readonly init: number;
  /** Starts a program inside. What is returned is the way in: signals to it do not get there. */
  spawn(file: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Runs a program inside to its end; resolves with its standard output. */
  run(file: string, args: readonly string[]): Promise<string>;
  /** Does commands of ip(8) inside. */
  ip(...commands: readonly string[]): Promise<void>;
  /** The command line that runs a program inside. */
  inside(file: string, args?: readonly string[]): string[];
  /** The pid outside of a process that has this one inside. */
  outside(pid: number): Promise<number | undefined>;
  /** Sends a signal, by default SIGKILL, to a process with this pid inside. */
  kill(pid: number, signal?: NodeJS.Signals): Promise<void>;
  /** Loses all packets from and to it; its link stays up. */
  stall(): Promise<void>;
  unstall(): Promise<void>;
  /** Resets its connections with the own address of another, for both ends. */
  cut(peer: Host): Promise<void>;
  /** Ends it with all that runs in it, as a loss of power: nobody is told. */
  crash(): Promise<void>;
}
