import { readFileSync, statSync } from 'node:fs';
import { assertUsable, isPemPath, type TlsFiles } from '../../options/tls.ts';
import type { TlsOptions } from '../../options/types.ts';

const FILES = ['ca', 'cert', 'key', 'crl'] as const;

/**
 * The TLS material of a server. What was given as files is read again when the files have changed, so that
 * certificates can be renewed and revoked without a restart.
 */
export class RenewedCredentials {
  readonly #operation: string;
  readonly #tls: TlsOptions;
  readonly #users: ((files: TlsFiles) => void)[] = [];
  #seen: string;

  constructor(operation: string, tls: TlsOptions) {
    this.#operation = operation;
    this.#tls = tls;
    this.#seen = this.#version();
  }

  /** Calls `user` with new material, once {@link RenewedCredentials.refresh} finds some. */
  onChange(user: (files: TlsFiles) => void): void {
    this.#users.push(user);
  }

  /**
   * Reads the files again if they have changed since the last call. Called for each connection, before TLS
   * begins. Files that do not fit each other may be replaced only in part yet: the material stays as it was.
   */
  refresh(): void {
    const seen = this.#version();
    if (seen === this.#seen) return;
    this.#seen = seen;
    try {
      const files = this.#read();
      assertUsable(this.#operation, files);
      for (const user of this.#users) user(files);
    } catch (error) {
      const reason = (error as Error).message.replace(`${this.#operation}: `, '');
      process.emitWarning(
        `${this.#operation}: the changed TLS files cannot be used, and those before them still are: ${reason}`,
      );
    }
  }

  /** What differs after a change: of each file, the inode and the time of the change. */
  #version(): string {
    const versions = this.#paths().map(([, path]) => {
      const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
      return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : '';
    });
    return versions.join();
  }

  #read(): TlsFiles {
    const given = FILES.flatMap((name) => {
      const value = this.#tls[name];
      return value === undefined ? [] : [[name, Buffer.from(value)] as const];
    });
    const read = this.#paths().map(([name, path]) => [name, readFileSync(path)] as const);
    return Object.fromEntries([...given, ...read]) as unknown as TlsFiles;
  }

  #paths(): (readonly [(typeof FILES)[number], string])[] {
    return FILES.flatMap((name) => {
      const value = this.#tls[name];
      return isPemPath(value) ? [[name, value] as const] : [];
    });
  }
}
