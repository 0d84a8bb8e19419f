import type { ArchiveCompression } from './compression.ts';

/** How an archive is written. */
export interface ArchiveOutput {
  /** How it is compressed. Default: by the end of the file's name, `.gz`, `.tgz`, `.zst`, `.zstd` or `.tzst`; else not. */
  compression?: ArchiveCompression;
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

/** What a new archive is made of. */
export interface NewCheckpointArchive extends ArchiveOutput {
  /** CRIU's images of the container. */
  imagesDirectory: string;
  /**
   * The specification of the container: `spec.dump`. Podman restores the container with it; it gets the annotation
   * `io.container.manager: libpod` unless it names another manager.
   */
  spec: Readonly<Record<string, unknown>>;
  /**
   * The configuration of the container: `config.dump`. Podman needs `id`, `name`, `rootfsImageID`,
   * `rootfsImageName` and `runtime`; its `ShmDir` is by default what the specification mounts on /dev/shm.
   */
  config: ArchivedConfig;
  /** Its networks, as podman writes them: `network.status`. Default: none. */
  networkStatus?: Readonly<Record<string, unknown>>;
  /** A tar archive of the changes of its root file system, as {@link createRootfsDiff} makes it. Default: none. */
  rootfsDiff?: string;
  /** What was removed from its root file system. Default: nothing. */
  deletedFiles?: readonly string[];
  /** A tar archive of its /dev/shm. Default: none. */
  devShm?: string;
  /** Its log. Default: none. */
  log?: string;
}

/** The configuration of a container in an archive. An engine may add properties of its own. */
export interface ArchivedConfig {
  /** The id of the container. */
  readonly id: string;
  /** The name of the container. */
  readonly name: string;
  /** The id of the image of its root file system. */
  readonly rootfsImageID?: string;
  /** The name of that image, by which podman finds or pulls it. */
  readonly rootfsImageName?: string;
  /** The OCI runtime, such as `runc`. */
  readonly runtime?: string;
  /** Others. */
  readonly [name: string]: unknown;
}

/** An archive that was unpacked, and is packed again. */
export interface RepackedCheckpointArchive extends ArchiveOutput {
  /** The directory that {@link readCheckpointArchive} has made. */
  directory: string;
}
