import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { chunksOfFile } from '../../src/containers/archive/tar-writer.ts';
import { Digest } from '../../src/containers/oci/blobs.ts';
import type { LayoutDirectory } from '../../src/containers/oci/layout-directory.ts';
import { makeLayout } from '../../src/containers/oci/layouts.ts';
import { MEDIA } from '../../src/containers/oci/oci-types.ts';
import { rootArchive, unmountBelow } from './podman.ts';
import { temporaryDirectory, waitFor } from './workload.ts';

/** The image that {@link Containerd.start} makes, of busybox. */
export const IMAGE = 'localhost/busybox:1';

/** A containerd that only this test uses, through its command ctr. */
export class Containerd {
  readonly directory: string;

  static async start(): Promise<Containerd> {
    const directory = await temporaryDirectory();
    onTestFinished(() => unmountBelow(directory));
    const containerd = new Containerd(directory);
    await containerd.#serve();
    await containerd.#importImage();
    return containerd;
  }

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Runs ctr; returns what it prints. */
  async ctr(...args: readonly string[]): Promise<string> {
    const { stdout } = await execa('ctr', ['--address', this.#at('socket'), ...args], {
      stdin: 'ignore',
    });
    return stdout;
  }

  /** Starts a container. */
  async start(id: string, command: readonly string[]): Promise<void> {
    this.removeAfterTest(id);
    await this.ctr('run', '--detach', '--null-io', IMAGE, id, ...command);
  }

  /** The root directory of a container that runs, through its first process. */
  async rootOf(id: string): Promise<string> {
    const lines = (await this.ctr('tasks', 'ls')).split('\n').map((line) => line.split(/\s+/));
    return `/proc/${lines.find(([name]) => name === id)?.[1]}/root`;
  }

  /** Ends a container and forgets it. */
  async remove(id: string): Promise<void> {
    const args = ['tasks', 'rm', '--force', id];
    await this.ctr(...args).catch(() => {});
    await this.ctr('containers', 'rm', id);
  }

  removeAfterTest(id: string): void {
    onTestFinished(async () => {
      if ((await this.ctr('containers', 'ls', '--quiet')).split('\n').includes(id)) {
        await this.remove(id);
      }
    });
  }

  async #serve(): Promise<void> {
    await writeFile(
      this.#at('config.toml'),
      `version = 2
root = "${this.#at('root')}"
state = "${this.#at('state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${this.#at('socket')}"
[ttrpc]
address = "${this.#at('socket')}.ttrpc"
`,
    );
    const env = { PATH: `${dirname(criuPath())}:${process.env.PATH}` };
    const log = { file: this.#at('log') };
    const daemon = execa('containerd', ['--config', this.#at('config.toml')], {
      ...{ env, stdin: 'ignore', stdout: log, stderr: log, reject: false },
    });
    onTestFinished(async () => {
      daemon.kill();
      await daemon;
    });
    await waitFor(() => existsSync(this.#at('socket')), 'containerd listens');
  }

  async #importImage(): Promise<void> {
    const layer = await rootArchive(this.directory);
    await makeLayout('test', this.#at('image.oci.tar'), IMAGE, async (layout) => {
      await writeImageOf(layout, layer);
    });
    await this.ctr('images', 'import', this.#at('image.oci.tar'));
  }

  #at(name: string): string {
    return join(this.directory, name);
  }
}

/** An image with one layer, which is not compressed. */
async function writeImageOf(layout: LayoutDirectory, archive: string): Promise<void> {
  const digest = new Digest();
  const layer = await layout.write(digest.pass(chunksOfFile(archive)));
  const config = await layout.write([
    Buffer.from(
      JSON.stringify({
        ...{ architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' },
        ...{ config: {}, rootfs: { type: 'layers', diff_ids: [layer.digest] } },
      }),
    ),
  ]);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, ...config },
    layers: [{ mediaType: MEDIA.layer, ...layer }],
  };
  await layout.finish(MEDIA.manifest, Buffer.from(JSON.stringify(manifest)));
}
