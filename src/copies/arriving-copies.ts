import { type FileHandle, open, stat } from 'node:fs/promises';
import type {
  MigrationOffer,
  MigrationRestoreOptions,
  MigrationServerHooks,
  RestoringMigration,
} from '../migration/destination/serve-options.ts';
import { anyObject, checkOptions, type Shape } from '../options/check.ts';
import { SHARED_MEMORY } from './host-mounts.ts';
import { type OfferedCopy, readCopyOffer } from './offered-copy.ts';
import { SocketPair } from './socket-pair.ts';

/** Options of {@link copyDestination}. */
export interface CopyDestinationOptions {
  /** Options of the restores of copies. */
  readonly restore?: MigrationRestoreOptions;
  /** Hooks of the caller, which are called before those of the library that take away what they have made. */
  readonly hooks?: MigrationServerHooks;
}

/** Options of {@link Criu.serveMigrations} for copies of templates. */
export interface CopyDestination {
  /** Refuses what is no copy, or needs what this host lacks. */
  readonly restore: (offer: MigrationOffer) => Promise<MigrationRestoreOptions>;
  /** Those of the caller, with what the restore of a copy needs. */
  readonly hooks: MigrationServerHooks;
}

const shape: Shape<CopyDestinationOptions> = { restore: anyObject, hooks: anyObject };

/** The options of a migration server that takes copies of templates. */
export function arrivingCopies(
  operation: string,
  options: CopyDestinationOptions,
): CopyDestination {
  const { restore = {}, hooks = {} } = checkOptions(operation, options, shape);
  const arriving = new Map<string, ArrivingCopy>();
  return {
    async restore(offer) {
      const copy = readCopyOffer(offer);
      if (!copy) throw new Error('this host takes only copies of templates');
      await requireMounts(copy);
      return restore;
    },
    hooks: {
      ...hooks,
      async beforeRestore(migration: RestoringMigration) {
        const own = (await hooks.beforeRestore?.(migration)) ?? {};
        const copy = readCopyOffer(migration.offer);
        if (!copy) throw new Error('the migration is not that of a copy');
        const made = await ArrivingCopy.make(copy);
        arriving.set(migration.id, made);
        return { ...own, ...made.options };
      },
      async afterMigration(migration) {
        await arriving.get(migration.id)?.[Symbol.asyncDispose]();
        arriving.delete(migration.id);
        await hooks.afterMigration?.(migration);
      },
    },
  };
}

async function requireMounts({ mounts }: OfferedCopy): Promise<void> {
  for (const { path } of mounts) {
    await stat(path).catch((cause: Error) => {
      throw new Error(`this host lacks ${path}`, { cause });
    });
  }
}

/** What a copy gets in the place of what it had of the process that has started it. */
class ArrivingCopy implements AsyncDisposable {
  readonly #copy: OfferedCopy;
  readonly #null: FileHandle;
  readonly #pairs: readonly SocketPair[];

  static async make(copy: OfferedCopy): Promise<ArrivingCopy> {
    const file = await open('/dev/null', 'r+');
    return new ArrivingCopy(copy, file);
  }

  private constructor(copy: OfferedCopy, file: FileHandle) {
    this.#copy = copy;
    this.#null = file;
    this.#pairs = copy.sockets.map(() => new SocketPair(-1));
  }

  get options(): MigrationRestoreOptions {
    const { mounts, sockets, streams } = this.#copy;
    const connections = sockets.map((name, index) => [name, this.#pairs[index]?.there ?? -1]);
    return {
      root: '/',
      bindRoot: true,
      manageCgroupsMode: 'ignore',
      external: mounts.map(({ path, name }) => {
        return `mnt[${name}]:${name === SHARED_MEMORY.name ? 'tmpfs' : path}`;
      }),
      inheritFd: {
        ...Object.fromEntries(streams.map((name) => [name, this.#null.fd])),
        ...Object.fromEntries(connections),
      },
    };
  }

  /** The copy has its own descriptors by now. Nobody speaks to it any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) pair[Symbol.dispose]();
    await this.#null.close();
  }
}
