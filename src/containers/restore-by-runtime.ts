import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import { asCriuError, CriuError } from '../errors.ts';
import { causeOf } from '../failure/cause.ts';
import { LogFile } from '../failure/log.ts';
import { optionsLeftFor } from '../images/manifest.ts';
import { type Criu, type Hooks, readRestoreStats } from '../index.ts';
import type { BundleConfig } from './bundle-config.ts';
import { Container } from './container.ts';
import { containerFailure } from './container-failure.ts';
import { readContainerRecord } from './container-record.ts';
import { hasOwnNetwork } from './dump-request.ts';
import { bindSourcesOf, submountSources } from './external-mounts.ts';
import { raiseLoopback } from './loopback.ts';
import { type CheckedOptions, runtimeFlags } from './restore-options.ts';
import type { RestoredContainer } from './restored-container.ts';
import { lastMessage, Runtime } from './runtime.ts';
import { isRunning, readRuntimeState } from './runtime-state.ts';
import { StandardStreams } from './standard-streams.ts';
import { StepListener } from './step-listener.ts';

/** The hooks at the steps that CRIU's action scripts are called at. */
const HOOKS: Readonly<Record<string, keyof Hooks>> = {
  ...{ 'pre-restore': 'preRestore', 'setup-namespaces': 'setupNamespaces' },
  ...{ 'post-setup-namespaces': 'postSetupNamespaces', 'post-restore': 'postRestore' },
  ...{ 'network-unlock': 'networkUnlock', 'pre-resume': 'preResume', 'post-resume': 'postResume' },
};
/** From here on CRIU does not roll back. */
const LATE: ReadonlySet<string> = new Set(['pre-resume', 'post-resume']);
const CRIU_LOG = 'restore.log';

/** Why a step was refused. */
interface Refusal {
  readonly script: string;
  readonly cause: unknown;
  /** True if the processes run nevertheless. */
  readonly isLate: boolean;
}

/** Restores a container by its runtime, whose criu asks this process at each step. */
export async function restoreByRuntime(
  operation: string,
  criu: Criu,
  { own, restore }: CheckedOptions,
  config: BundleConfig,
): Promise<RestoredContainer> {
  const start = performance.now();
  const { imagesDirectory, id, root = '/run/runc', runtime: name } = own;
  const { hooks = {}, signal, deadlineMs, gracePeriodMs, ...given } = restore;
  const { workDirectory: work = imagesDirectory } = given;
  const runtime = await Runtime.of(operation, name || 'runc');
  const left = await optionsLeftFor(operation, { imagesDirectory });
  const flags = runtimeFlags(operation, { ...left, ...given });
  using cancellation = new Cancellation(operation, { signal, deadlineMs, gracePeriodMs });
  cancellation.throwIfRequested();
  await removeEnded(operation, runtime, root, id);
  let refusal: Refusal | undefined;
  const onStep = async (script: string, pid: number | undefined) => {
    const isLate = LATE.has(script);
    try {
      if (!isLate) cancellation.throwIfRequested();
      const isNetworkDue = script === 'setup-namespaces' && hasOwnNetwork(config);
      if (isNetworkDue && pid !== undefined) await raiseLoopback(pid);
      await callHook(hooks, script, pid);
    } catch (cause) {
      refusal ??= { script, cause, isLate };
      throw cause;
    }
  };
  await using streams = await StandardStreams.open(operation, own.stdio);
  await using tools = await RuntimeTools.make(operation, await criu.binary());
  const { streams: outside, submounts } = await readContainerRecord(operation, id, imagesDirectory);
  const shown = submountSources(await bindSourcesOf(config), submounts);
  const lines = [
    ...inheritedFiles(outside),
    ...Object.entries(shown).map(([path, source]) => `external mnt[${path}]:${source}`),
  ];
  await using listener = await StepListener.start(operation, onStep, lines);
  const log = await LogFile.at(join(String(work), CRIU_LOG));
  const child = spawn(
    runtime.path,
    [
      ...['--root', root, '--log', tools.log, '--log-format', 'json'],
      ...['restore', '--detach', '--bundle', config.bundle],
      ...['--image-path', imagesDirectory, '--work-path', String(work), ...flags],
      ...(own.consoleSocket === undefined ? [] : ['--console-socket', own.consoleSocket]),
      ...['--', id],
    ],
    {
      stdio: [...streams.fds],
      env: { ...process.env, PATH: tools.searchPath, CRIU_CONFIG_FILE: listener.configFile },
    },
  );
  const code = await exitOf(operation, child, cancellation);
  const state = await readRuntimeState(operation, root, id);
  const durationMs = performance.now() - start;
  if (code === 0 && state && !refusal) {
    const container = new Container(criu, root, state, runtime);
    const stats = await readRestoreStats(String(work));
    return { container, stats, log: await log.read(), durationMs };
  }
  if (!refusal?.isLate) await runtime.remove(operation, { root, id });
  throw await failureOf(operation, id, { refusal, cancellation, log, said: await tools.said() });
}

/** A container that has ended may still be known; runc would refuse the id. */
async function removeEnded(
  operation: string,
  runtime: Runtime,
  root: string,
  id: string,
): Promise<void> {
  const state = await readRuntimeState(operation, root, id);
  if (!state) return;
  if (isRunning(state)) throw containerFailure(operation, id, `it runs already (pid ${state.pid})`);
  await runtime.delete(operation, { root, id });
}

/** Lines of configuration for the streams that runc does not pass on: its criu has them at their own numbers. */
function inheritedFiles(streams: readonly (string | undefined)[]): string[] {
  const files = streams.map((name, fd) => ({ name, fd }));
  const first = files.filter(
    ({ name, fd }) => name?.startsWith('file[') && streams.indexOf(name) === fd,
  );
  return first.map(({ name, fd }) => `inherit-fd fd[${fd}]:${name}`);
}

async function callHook(hooks: Hooks, script: string, pid: number | undefined): Promise<void> {
  await hooks.onNotify?.({ script, ...(pid !== undefined && { pid }) });
  const name = HOOKS[script];
  const hook = name && (hooks[name] as ((pid?: number) => unknown) | undefined);
  await hook?.call(hooks, pid);
}

/** Waits for the end of the runtime, which is killed if it does not end in time once it is cancelled. */
async function exitOf(
  operation: string,
  child: ChildProcess,
  cancellation: Cancellation,
): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined;
  cancellation.requested.then(() => {
    timer = setTimeout(() => child.kill('SIGKILL'), cancellation.graceMs);
  });
  try {
    const [code] = await once(child, 'exit');
    return code;
  } catch (error) {
    throw asCriuError(operation, error);
  } finally {
    clearTimeout(timer);
  }
}

async function failureOf(
  operation: string,
  id: string,
  parts: {
    readonly refusal: Refusal | undefined;
    readonly cancellation: Cancellation;
    readonly log: LogFile;
    readonly said: string;
  },
): Promise<CriuError> {
  const { refusal, cancellation, said } = parts;
  const log = await parts.log.read();
  const { reason } = cancellation;
  const label = `${operation}: container ${id}`;
  const facts = { operation, log, workload: refusal?.isLate ? 'running' : 'gone' } as const;
  if (reason && (!refusal || refusal.cause === reason)) {
    const what = reason.code === 'ERR_CRIU_TIMEOUT' ? 'the deadline passed' : 'it was aborted';
    const text = `${label}: ${what}, and nothing was restored`;
    return new CriuError(reason.code, text, { ...facts, cause: reason.cause });
  }
  if (refusal) {
    const { script, cause, isLate } = refusal;
    const end = isLate ? 'it was too late to roll back' : 'nothing was restored';
    const thrown = cause instanceof Error ? cause.message : String(cause);
    const text = `${label}: the hook of ${script} threw: ${thrown}; ${end}`;
    return new CriuError('ERR_CRIU_HOOK', text, { ...facts, cause });
  }
  if (!log?.errors.length) return containerFailure(operation, id, said, facts);
  const remains = { stderr: '', exit: undefined, isService: false };
  const reply = { type: 'RESTORE', success: false } as const;
  const { code, text } = causeOf(reply, { operation: 'restore', label, remains, log });
  return new CriuError(code, `${label}: ${text} (nothing was restored)`, facts);
}

/** A directory with what the runtime needs: its log, and a criu of that name. */
class RuntimeTools implements AsyncDisposable {
  readonly #directory: string;

  static async make(operation: string, criu: string): Promise<RuntimeTools> {
    try {
      const directory = await mkdtemp(join(tmpdir(), 'node-criu-runtime-'));
      await symlink(criu, join(directory, 'criu'));
      return new RuntimeTools(directory);
    } catch (error) {
      throw asCriuError(operation, error);
    }
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  get log(): string {
    return join(this.#directory, 'runtime.log');
  }

  /** PATH, on which the criu of this client comes first. */
  get searchPath(): string {
    return [this.#directory, process.env.PATH].filter(Boolean).join(delimiter);
  }

  /** The last message of the runtime. */
  async said(): Promise<string> {
    return (
      lastMessage(await readFile(this.log, 'utf8').catch(() => '')) || 'its runtime has failed'
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
