import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { native } from '../../src/native/index.ts';
import { temporaryDirectory, waitFor } from './workload.ts';

/** The part of an OCI configuration that tests change. */
export interface BundleConfig {
  process: { args: string[]; env: string[]; terminal: boolean; cwd: string };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  annotations?: Record<string, string>;
  hooks?: Record<string, { path: string; args?: string[] }[]>;
  linux: {
    namespaces: { type: string; path?: string }[];
    resources?: object;
    cgroupsPath?: string;
    maskedPaths?: string[];
    seccomp?: object;
  };
}

/** A bundle with busybox, and a directory for the state of runc, which only this test uses. */
export class Bundle {
  readonly directory: string;
  /** The state directory of runc. */
  readonly root: string;
  readonly config: BundleConfig;
  /** The runtime. */
  readonly program: string;

  /** @param options `root` is the state directory of runc, by default one of its own */
  static async make(
    args: readonly string[],
    { root, program = 'runc' }: { readonly root?: string; readonly program?: string } = {},
  ): Promise<Bundle> {
    const base = await temporaryDirectory();
    const directory = join(base, 'bundle');
    const rootfs = join(directory, 'rootfs');
    for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'run']) {
      await mkdir(join(rootfs, name), { recursive: true });
    }
    await copyFile('/bin/busybox', join(rootfs, 'bin/busybox'));
    for (const name of ['sh', 'sleep', 'cat', 'ps', 'ls', 'ip']) {
      await symlink('busybox', join(rootfs, 'bin', name));
    }
    execFileSync(program, ['spec', '--bundle', directory]);
    const config: BundleConfig = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
    config.process.args = [...args];
    config.process.terminal = false;
    config.root.readonly = false;
    return new Bundle(directory, root ?? join(base, 'runc'), config, program);
  }

  private constructor(directory: string, root: string, config: BundleConfig, program: string) {
    this.program = program;
    this.directory = directory;
    this.root = root;
    this.config = config;
  }

  get rootfs(): string {
    return join(this.directory, 'rootfs');
  }

  /** Lets it see programs of this host, and directories at their own paths. */
  async bindHost(...directories: readonly string[]): Promise<void> {
    for (const name of ['lib', 'lib64']) await symlink(`usr/${name}`, join(this.rootfs, name));
    for (const path of ['/usr', ...directories]) {
      const options = ['rbind', path === '/usr' ? 'ro' : 'rw'];
      this.config.mounts.push({ destination: path, type: 'bind', source: path, options });
    }
  }

  /** Has no network namespace of its own. */
  shareNetwork(): void {
    const { linux } = this.config;
    linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
  }

  /** Writes the configuration. */
  async write(): Promise<void> {
    await writeFile(join(this.directory, 'config.json'), JSON.stringify(this.config));
  }

  /** Starts a container of it, whose output is added to a file. The container is removed after the test. */
  async run(id: string): Promise<RunningContainer> {
    await this.write();
    const output = join(dirname(this.directory), `${id}.out`);
    removeAfterTest(this, id);
    await runc(this, ['run', '--detach', '--bundle', this.directory, id], output);
    return new RunningContainer(this, id, output);
  }
}

/** A container that a test has started. */
export class RunningContainer {
  readonly bundle: Bundle;
  readonly id: string;
  /** The file with its output. */
  readonly output: string;

  constructor(bundle: Bundle, id: string, output: string) {
    this.bundle = bundle;
    this.id = id;
    this.output = output;
  }

  /** What runc says about it; undefined if it knows no such container. */
  status(): { readonly status: string; readonly pid: number; readonly bundle: string } | undefined {
    try {
      const args = ['--root', this.bundle.root, 'state', this.id];
      return JSON.parse(
        execFileSync(this.bundle.program, args, { encoding: 'utf8', stdio: 'pipe' }),
      );
    } catch {
      return undefined;
    }
  }

  /** Calls runc with a command for it. */
  call(command: string, ...args: string[]): void {
    execFileSync(this.bundle.program, ['--root', this.bundle.root, command, this.id, ...args], {
      stdio: 'pipe',
    });
  }

  /** Runs a command in it. */
  exec(...command: string[]): string {
    const args = ['--root', this.bundle.root, 'exec', this.id, ...command];
    return execFileSync(this.bundle.program, args, { encoding: 'utf8', stdio: 'pipe' });
  }

  async lines(file = this.output): Promise<string[]> {
    return (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  }
}

/** Removes a container after the test, if it is still there. */
export function removeAfterTest({ root }: { readonly root: string }, id: string): void {
  onTestFinished(() => {
    if (!existsSync(join(root, id))) return;
    execFileSync('runc', ['--root', root, 'delete', '--force', id], { stdio: 'pipe' });
  });
}

/** Runs runc with the criu of the tests. Its output, and that of a container that it starts, is added to a file. */
export async function runc(
  { root, program = 'runc' }: { readonly root: string; readonly program?: string },
  args: readonly string[],
  output: string,
): Promise<void> {
  const env = { ...process.env, PATH: `${dirname(criuPath())}:${process.env.PATH}` };
  const { fd, close } = pipeInto(output);
  const child = spawn(program, ['--root', root, ...args], { env, stdio: ['ignore', fd, fd] });
  close();
  const [code] = await once(child, 'exit');
  if (code === 0) return;
  const said = await readFile(output, 'utf8').catch(() => '');
  throw new Error(`runc ${args.join(' ')} ended with ${code}: ${said}`);
}

/** The end of a pipe into a file, to be closed: a container cannot be dumped with a file outside of it. */
export function pipeInto(file: string): { readonly fd: number; close(): void } {
  const [read, fd] = native().pipe();
  const output = openSync(file, 'a', 0o600);
  spawn('cat', { stdio: [read, output, 'ignore'] });
  for (const one of [read, output]) native().close(one);
  return { fd, close: () => native().close(fd) };
}

/** A newer runc than the system's. */
export function newerRunc(): string {
  const script = join(import.meta.dirname, '../../scripts/runc.sh');
  return execFileSync('bash', [script], { encoding: 'utf8' }).trim();
}

/** Counts in a shell: each number once, in memory. */
export const COUNTER = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done'];

/** Waits until a container has written more lines. */
export async function countsOn(container: RunningContainer, file?: string): Promise<void> {
  const before = (await container.lines(file)).length;
  await waitFor(
    async () => (await container.lines(file)).length > before,
    `container ${container.id} counts on`,
  );
}
