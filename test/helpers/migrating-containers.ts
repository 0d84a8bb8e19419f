import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type ContainerPlacement, containerDestination } from '../../src/containers.ts';
import type { Criu, MigrationServer, MigrationServerHooks } from '../../src/index.ts';
import { Bundle, COUNTER, countsOn, pipeInto, RunningContainer, removeAfterTest } from './runc.ts';
import { temporaryDirectory } from './workload.ts';

interface ContainerHostOptions {
  /** Changes its bundle before there is a server. */
  readonly change?: (bundle: Bundle) => Promise<void> | void;
  /** Changes where a container goes. */
  readonly place?: () => Partial<ContainerPlacement>;
  readonly hooks?: MigrationServerHooks;
  readonly holdMs?: number;
}

/** A host that takes containers: on this machine, with a runtime state and cgroups of its own. */
export class ContainerHost {
  readonly bundle: Bundle;
  readonly server: MigrationServer;
  readonly directory: string;
  /** Where containers that come write. */
  readonly output: string;

  static async start(
    criu: Criu,
    args: readonly string[],
    { change, place, hooks = {}, holdMs = 30_000 }: ContainerHostOptions = {},
  ): Promise<ContainerHost> {
    const bundle = await Bundle.make(args);
    bundle.config.linux.cgroupsPath = cgroupsPath();
    await change?.(bundle);
    await bundle.write();
    const directory = await temporaryDirectory();
    const output = join(await temporaryDirectory(), 'output');
    const file = pipeInto(output);
    onTestFinished(file.close);
    const server = await criu.serveMigrations({
      ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true, holdMs },
      ...containerDestination({
        directory,
        place: ({ container }) => {
          removeAfterTest(bundle, container.id);
          const stdio = ['ignore', file.fd, file.fd] as const;
          return { bundle: bundle.directory, root: bundle.root, stdio, ...place?.() };
        },
        hooks,
      }),
    });
    onTestFinished(() => server.close());
    return new ContainerHost(bundle, server, directory, output);
  }

  private constructor(bundle: Bundle, server: MigrationServer, directory: string, output: string) {
    this.bundle = bundle;
    this.server = server;
    this.directory = directory;
    this.output = output;
  }

  /** The options that connect to it. */
  get to() {
    return { to: { host: '127.0.0.1', port: this.server.port }, insecure: true } as const;
  }

  /** A container that has come. */
  container(id: string): RunningContainer {
    return new RunningContainer(this.bundle, id, this.output);
  }

  /** What is left of containers besides those that run: states, cgroups and notes. */
  async leftovers(): Promise<string[]> {
    const { root, config } = this.bundle;
    const path = config.linux.cgroupsPath ?? '';
    // On cgroup v2 the first one has it.
    const controllers = ['', ...(await readdir('/sys/fs/cgroup'))];
    const names = async (directory: string) => await readdir(directory).catch(() => []);
    return [
      ...(await names(root)),
      ...(await names(join(this.directory, 'containers'))),
      ...controllers.map((name) => join('/sys/fs/cgroup', name, path)).filter(existsSync),
    ];
  }
}

/** A path of cgroups that no other container has. */
function cgroupsPath(): string {
  return `/node-criu-test-${randomUUID()}`;
}

/** A container that counts, with cgroups of its own. */
export async function startCounting(
  change: (bundle: Bundle) => Promise<void> | void = () => {},
): Promise<RunningContainer> {
  const bundle = await Bundle.make(COUNTER);
  bundle.config.linux.cgroupsPath = cgroupsPath();
  await change(bundle);
  const running = await bundle.run('counter');
  await countsOn(running);
  return running;
}

/** Expects that no number was lost or written twice. */
export async function expectAllNumbers(...containers: RunningContainer[]): Promise<void> {
  const written = await Promise.all(containers.map((container) => container.lines()));
  expect(written.flat().map(Number)).toEqual(written.flat().map((_, index) => index + 1));
}
