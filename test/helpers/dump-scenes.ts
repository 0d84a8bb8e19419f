import { setImmediate as turn } from 'node:timers/promises';
import type { CriuOpts, Hooks } from '../../src/index.ts';
import { runningCriu, startCounting, type steps } from './checkpoints.ts';
import { type ErrorFacts, LibraryProcess } from './library-process.ts';
import { networkNamespace } from './namespaces.ts';
import { rulesIn } from './network-rules.ts';
import { holdings } from './own-resources.ts';
import { type Counter, client, temporaryDirectory, waitGone } from './workload.ts';

export type Step = keyof typeof steps;

/** A signal to criu, at a step or some milliseconds after it. */
export interface Blow {
  readonly at: Step;
  readonly afterMs?: number;
  /** 0 sends no signal. */
  readonly signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 0;
}

/** The error of a dump, and true if criu got the signal: a deadline may pass first. */
export type BlowError = ErrorFacts & { readonly struck?: boolean };

/** A caller and a workload for one of the ways in which CRIU locks the network or does not. */
export interface Scene {
  /** The steps that CRIU reports. */
  readonly steps: readonly Step[];
  counter: Counter;
  /** Starts a new workload. */
  revive(): Promise<void>;
  /** A dump during which criu gets a signal; resolves with the error, undefined if the dump succeeds. */
  dumpWith(blow: Blow, limits?: object): Promise<BlowError | undefined>;
  /** The resources of the caller, and the network locks. */
  left(): Promise<unknown>;
  /** Dumps the workload without a fault, and restores it. */
  dumpAndRestore(): Promise<void>;
}

type Lock = NonNullable<CriuOpts['networkLock']>;

/** CRIU locks the whole network namespace of the workload, because it differs from that of criu. */
async function inAnotherNamespace(networkLock: Lock, size = '0'): Promise<Scene> {
  const criu = client();
  await criu.version();
  const namespace = await networkNamespace();
  const start = () => startCounting('patient', [size], ['nsenter', `--net=${namespace}`]);
  const options = { tcpEstablished: true, networkLock };
  return await locally(start, options, {
    steps: ['preDump', 'networkLock', 'queryExtFiles', 'postDump', 'networkUnlock'],
    left: async () => ({ ...(await ownHoldings()), rules: await rulesIn(namespace) }),
  });
}

/** Without a connection CRIU locks nothing. */
async function withoutConnections(size = '0'): Promise<Scene> {
  return await locally(
    () => startCounting('counter', [size]),
    {},
    {
      steps: ['preDump', 'queryExtFiles', 'postDump'],
      left: ownHoldings,
    },
  );
}

async function locally(
  start: () => Promise<Counter>,
  options: Partial<CriuOpts>,
  rest: Pick<Scene, 'steps' | 'left'>,
): Promise<Scene> {
  const criu = client();
  await criu.version();
  const scene: Scene = {
    ...rest,
    counter: await start(),
    async revive() {
      scene.counter = await start();
    },
    async dumpWith({ at, afterMs, signal }, limits = {}) {
      const imagesDirectory = await temporaryDirectory();
      let delayed = Promise.resolve();
      let struck = false;
      const hook = async () => {
        const pid = await runningCriu();
        const hit = () => {
          struck = strike(pid, signal);
        };
        if (afterMs === undefined) hit();
        else delayed = moment(afterMs).then(hit);
        return [];
      };
      const given = { ...options, ...limits, imagesDirectory, leaveRunning: true };
      try {
        await criu.dump(scene.counter.pid, { ...given, hooks: { [at]: hook } as Hooks });
        return undefined;
      } catch (error) {
        await delayed;
        return Object.assign(error as ErrorFacts, { struck });
      } finally {
        await delayed;
      }
    },
    async dumpAndRestore() {
      const given = { ...options, imagesDirectory: await temporaryDirectory() };
      await criu.dump(scene.counter.pid, given);
      await waitGone(scene.counter.pid);
      await criu.restore(given);
    },
  };
  return scene;
}

/** Leaves out the workload, which a new one may have replaced. */
async function ownHoldings() {
  const { descriptors, children } = await holdings();
  return { descriptors, children: children.length };
}

/** CRIU locks each connection separately, because caller and workload share a network namespace. */
export async function inTheSameNamespace(
  networkLock: Lock,
  size = '0',
  address = '127.0.0.1',
): Promise<Scene> {
  const namespace = await networkNamespace();
  const through = ['nsenter', `--net=${namespace}`];
  const caller = await LibraryProcess.start(through);
  const start = () => startCounting('patient', [size, address], through);
  const options = { tcpEstablished: true, networkLock };
  const scene: Scene = {
    steps: ['preDump', 'queryExtFiles', 'postDump'],
    counter: await start(),
    async revive() {
      scene.counter = await start();
    },
    async dumpWith({ at, afterMs, signal }, limits = {}) {
      const imagesDirectory = await temporaryDirectory();
      const given = { ...options, ...limits, imagesDirectory, leaveRunning: true };
      const blow = { pid: scene.counter.pid, at, afterMs, signal };
      const answer = await caller.do('dumpWith', { ...given, ...blow });
      if (answer === 'ended') throw new Error('the caller has ended');
      return answer.error;
    },
    left: async () => ({
      ...(await caller.ask<object>('holdings')),
      rules: await rulesIn(namespace),
    }),
    async dumpAndRestore() {
      const given = { ...options, imagesDirectory: await temporaryDirectory() };
      await caller.ask('dump', { ...given, pid: scene.counter.pid });
      await waitGone(scene.counter.pid);
      await caller.ask('restore', given);
    },
  };
  return scene;
}

/** A timer with a resolution below a millisecond, because a step of criu may take less. */
async function moment(afterMs: number): Promise<void> {
  for (const end = performance.now() + afterMs; performance.now() < end; ) await turn();
}

/** Sends a signal; returns false if the process is gone. */
export function strike(pid: number, signal: Blow['signal']): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** The scene of each network lock. */
export const scenes: Record<string, (size?: string) => Promise<Scene>> = {
  'without connections': withoutConnections,
  'the namespace locked by iptables': (size) => inAnotherNamespace('iptables', size),
  'the namespace locked by nftables': (size) => inAnotherNamespace('nftables', size),
  'connections locked by iptables': (size) => inTheSameNamespace('iptables', size),
  'connections locked by nftables': (size) => inTheSameNamespace('nftables', size),
};
