import { resolve } from 'node:path';
import { CriuError } from '../errors.ts';
import type { PreflightFinding } from '../finding.ts';
import { type Checkpoint, readCheckpoint } from '../images/checkpoint.ts';
import { lazyMemoryIn } from '../images/lazy-memory.ts';
import type { Client } from '../operations/client.ts';
import type { MemoryDirectory } from '../process/memory-directory.ts';
import type { StreamEncryption } from '../stream/encryption.ts';
import type { TemplateCopy } from './copy.ts';
import {
  type CopyEnvironment,
  type CopyIdentity,
  type CopyOptions,
  checkCopyOptions,
} from './copy-options.ts';
import { assertNotEncrypted, decryptTemplate } from './encrypted-template.ts';
import { FirstPages } from './first-pages.ts';
import { PortForwarder } from './port-forwarder.ts';
import type { CopyRequest, TemplateParts } from './restore-in.ts';
import { RestoredCopy } from './restored-copy.ts';
import { readDescription } from './template-file.ts';
import { assertWhole } from './whole-images.ts';

const OPERATION = 'start';

/** The state of a TCP socket that listens, from net/tcp_states.h. */
const LISTEN = 10;

/**
 * The checkpoint of a program that was started once, of which any number of copies can run side by side. Nothing runs
 * until {@link Template.start}.
 *
 * @example
 * ```ts
 * const template = await criu.template('node', ['app.js'], {
 *   imagesDirectory: '/var/lib/templates/app',
 *   ready: { url: 'http://127.0.0.1:8080/health' },
 * });
 * await using copy = await template.start({ publish: [{ to: 8080 }] });
 * console.log(copy.published[0].port);
 * ```
 */
export class Template {
  /** The path of the images directory. */
  readonly imagesDirectory: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /**
   * What may go wrong with copies: the warning `NO_GUEST` if the program does not use `node-criu/guest`, so that its
   * copies draw the same random values. Empty otherwise.
   */
  readonly findings: readonly PreflightFinding[];
  readonly #parts: TemplateParts;
  readonly #decrypted: MemoryDirectory | undefined;
  /** The restores that read the images. */
  readonly #restores = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @internal */
  static async open(
    operation: string,
    client: Client,
    given: string,
    encryption: StreamEncryption | undefined,
  ): Promise<Template> {
    // The lazy-pages daemon of a copy has another working directory.
    const imagesDirectory = resolve(given);
    if (!encryption) assertNotEncrypted(operation, imagesDirectory);
    const decrypted = encryption && (await decryptTemplate(operation, imagesDirectory, encryption));
    try {
      const directory = decrypted?.path ?? imagesDirectory;
      const description = await readDescription(operation, directory);
      await assertWhole(operation, directory);
      const { files, processes } = await readCheckpoint(directory);
      const sockets = [...files.values()].flatMap(({ isk }) => (isk?.state === LISTEN ? isk : []));
      const ports = sockets.map(({ src_port, opts }) => ({
        port: src_port,
        isShared: opts.so_reuseport === true,
      }));
      const lazy = await lazyMemoryIn(operation, directory);
      const memory = lazy && new FirstPages(lazy);
      const findings = description.guest ? [] : [withoutGuest(processes)];
      const directoryFd = decrypted?.fd;
      const parts = { client, directory, directoryFd, description, ports, memory };
      return new Template(imagesDirectory, parts, findings, decrypted);
    } catch (error) {
      decrypted?.[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(
    imagesDirectory: string,
    parts: TemplateParts,
    findings: readonly PreflightFinding[],
    decrypted: MemoryDirectory | undefined,
  ) {
    this.imagesDirectory = imagesDirectory;
    this.command = parts.description.command;
    this.findings = findings;
    this.#parts = parts;
    this.#decrypted = decrypted;
  }

  /** True if the program uses `node-criu/guest`, and can be given an environment and arguments. */
  get hasGuest(): boolean {
    return this.#parts.description.guest !== undefined;
  }

  /**
   * Starts a copy: a restore of the checkpoint in pid and mount namespaces of its own. Resolves when it runs and,
   * if the program uses `node-criu/guest`, its `onAfterRestore()` functions are done.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_ADDRESS_IN_USE if the program listens on a port that is in
   * use in the network of the copy, or a port of `publish` is; ERR_CRIU_GUEST if a function of the program fails; and
   * as {@link Criu.restore} does; ERR_CRIU_CLOSED after {@link Template.close}. No copy is
   * left then.
   */
  async start(options: CopyOptions = {}): Promise<TemplateCopy> {
    const given = checkCopyOptions(OPERATION, options, this.hasGuest);
    return await this.launch(OPERATION, given, given);
  }

  /**
   * Starts a copy with options that are checked.
   * @internal
   */
  async launch(
    operation: string,
    environment: CopyEnvironment,
    identity: CopyIdentity,
  ): Promise<TemplateCopy> {
    const { signal } = identity;
    const restored = await this.#restore(operation, { environment, isHeld: false, signal });
    return await this.run(operation, restored, identity, environment);
  }

  /**
   * Restores a copy whose processes stay stopped until {@link run}.
   * @internal
   */
  async hold(
    operation: string,
    environment: CopyEnvironment,
    signal: AbortSignal,
  ): Promise<RestoredCopy> {
    return await this.#restore(operation, { environment, isHeld: true, signal });
  }

  /**
   * Publishes the ports of a copy, and lets it run. It is ended if that fails.
   * @internal
   */
  async run(
    operation: string,
    restored: RestoredCopy,
    identity: CopyIdentity,
    { publish = [] }: CopyEnvironment,
  ): Promise<TemplateCopy> {
    let forwarder: PortForwarder | undefined;
    try {
      const { netns } = restored.network;
      if (publish.length > 0) forwarder = await PortForwarder.open(operation, publish, netns);
      return await restored.run(operation, identity, forwarder);
    } catch (error) {
      forwarder?.close();
      await restored.end();
      throw error;
    }
  }

  /**
   * Frees the memory that holds the decrypted images, once the copies that are being started run. Copies run on, but
   * no others can be started. Only an encrypted template needs it; it is also done when this process ends. Idempotent.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#restores);
    this.#decrypted?.[Symbol.dispose]();
  }

  /** Does {@link Template.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #restore(operation: string, how: Omit<CopyRequest, 'template'>): Promise<RestoredCopy> {
    if (this.#isClosed) {
      throw new CriuError('ERR_CRIU_CLOSED', `${operation}: the template is closed`, { operation });
    }
    const restoring = RestoredCopy.make(operation, { ...how, template: this.#parts });
    this.#restores.add(restoring);
    try {
      return await restoring;
    } finally {
      this.#restores.delete(restoring);
    }
  }
}

/** The first process is the init. */
function withoutGuest([init, program = init]: Checkpoint['processes']): PreflightFinding {
  const pid = program?.pid ?? 0;
  return {
    ...{ code: 'NO_GUEST', severity: 'warning', pid },
    message: `process ${pid} (${program?.name}) does not use node-criu/guest: copies draw the same random values, keys and UUIDs among them, unless they get them from the kernel each time`,
    remedy: 'Load node-criu/guest in the program, or use copies that need no values of their own.',
  };
}
