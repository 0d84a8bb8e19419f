import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { parseMountInfo } from '../../src/procfs/mountinfo.ts';
import { podmanConfiguration } from '../lab/podman.mjs';
import { temporaryDirectory, waitFor } from './workload.ts';

/** The image that {@link Podman.start} makes, of busybox. */
export const IMAGE = 'localhost/busybox:1';
/** Counts in memory, and writes the number to a file; has changed the root file system before. */
export const COUNTER = [
  ...['sh', '-c'],
  'echo new > /etc/new; rm /etc/old; i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done',
];

/** A podman whose storage and state only this test uses. */
export class Podman {
  readonly directory: string;

  static async start(driver: 'vfs' | 'overlay' = 'vfs'): Promise<Podman> {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'containers.conf'), podmanConfiguration(directory));
    onTestFinished(() => unmountBelow(directory));
    const podman = new Podman(directory, driver);
    onTestFinished(async () => {
      await podman.run('rm', '--all', '--force', '--time', '0');
      // conmon has podman clean up after the end of a container, also of one that is removed.
      await waitFor(async () => !(await isUsed(directory)), 'the processes of podman have ended');
    });
    await podman.run('import', await rootArchive(directory), IMAGE);
    return podman;
  }

  readonly #driver: string;
  private constructor(directory: string, driver: string) {
    this.directory = directory;
    this.#driver = driver;
  }

  /** Runs a command of podman; returns what it prints. */
  async run(...args: readonly string[]): Promise<string> {
    const at = (name: string) => join(this.directory, name);
    const storage = ['--root', at('storage'), '--runroot', at('run'), '--tmpdir', at('tmp')];
    const { stdout } = await execa(
      'podman',
      [...storage, '--storage-driver', this.#driver, ...args],
      {
        env: {
          CONTAINERS_CONF: at('containers.conf'),
          PATH: `${dirname(criuPath())}:${process.env.PATH}`,
        },
        stdin: 'ignore',
      },
    );
    return stdout;
  }

  /** Starts a container without a network; returns its id. */
  async start(name: string, command: readonly string[] = COUNTER): Promise<string> {
    const options = ['--detach', '--network', 'none', '--name', name];
    return await this.run('run', ...options, IMAGE, ...command);
  }

  /** What podman says about a container. */
  async inspect(name: string) {
    return JSON.parse(await this.run('container', 'inspect', name))[0];
  }

  async remove(name: string): Promise<void> {
    await this.run('rm', '--force', '--time', '0', name);
  }
}

/** The root directory of a container that runs, through its first process. */
export async function rootOf(podman: Podman, name: string): Promise<string> {
  return `/proc/${(await podman.inspect(name)).State.Pid}/root`;
}

/** How far a {@link COUNTER} is. */
export async function countIn(root: string): Promise<number> {
  return Number(await readFile(join(root, 'count'), 'utf8').catch(() => '0'));
}

/** Waits until a {@link COUNTER} has passed a number; returns what it has reached. */
export async function countsBeyond(root: string, number: number): Promise<number> {
  await waitFor(
    async () => (await countIn(root)) > number,
    `the container counts beyond ${number}`,
  );
  return await countIn(root);
}

/** A tar archive of a root file system with busybox. */
export async function rootArchive(directory: string): Promise<string> {
  const root = join(directory, 'image');
  for (const name of ['bin', 'etc', 'tmp']) await mkdir(join(root, name), { recursive: true });
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of ['sh', 'rm', 'sleep', 'cat'])
    await symlink('busybox', join(root, 'bin', name));
  await writeFile(join(root, 'etc/old'), 'old\n');
  const archive = join(directory, 'image.tar');
  execFileSync('tar', ['-cf', archive, '-C', root, '.']);
  return archive;
}

/** True while a process has a path below a directory among its arguments. */
async function isUsed(directory: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
  );
  return commands.some((command) => command.includes(`${directory}/`));
}

/** Unmounts what a program has left mounted in a directory. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
  const points = mounts.map(({ point }) => point).filter((point) => point.startsWith(directory));
  for (const point of points.reverse()) execFileSync('umount', ['--lazy', point]);
}
