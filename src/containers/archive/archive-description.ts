import type { DumpStats } from '../../images/dump-stats.ts';
import type { ArchiveCompression } from './compression.ts';

/** What made an archive: it says who can restore it. */
export type CheckpointArchiveKind = 'podman' | 'cri-o' | 'containerd' | 'unknown';

/** What a checkpoint archive of a container says of itself. What it does not say is undefined. */
export interface CheckpointArchive {
  /** The engine that made it, by the annotations in the specification of the container. */
  readonly kind: CheckpointArchiveKind;
  /** How it is compressed; undefined for a directory. */
  readonly compression: ArchiveCompression | undefined;
  /** The container. */
  readonly container: ArchivedContainer;
  /** The image of its root file system. */
  readonly image: ArchivedImage;
  /** The OCI runtime that it ran in, such as `runc`. */
  readonly runtime: string | undefined;
  /** When the container was created, in ISO 8601. */
  readonly createdAt: string | undefined;
  /** When it was checkpointed, in ISO 8601. Podman before 4.5 does not tell. */
  readonly checkpointedAt: string | undefined;
  /** The version of CRIU, if the archive has its log or was made by this library. */
  readonly criuVersion: string | undefined;
  /** CRIU's statistics of the dump. */
  readonly stats: DumpStats | undefined;
  /** The addresses of the container in its networks. */
  readonly networks: readonly ArchivedNetwork[];
  /** The specification of the container (`spec.dump`), as the OCI runtime specification describes it. */
  readonly spec: Readonly<Record<string, unknown>> | undefined;
  /** The configuration of the container (`config.dump`), in the engine's own form. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** The annotations of an OCI image; empty for an archive. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What was removed from the root file system of the image. */
  readonly deletedFiles: readonly string[];
  /** Bytes of all members. */
  readonly bytes: number;
  /** Bytes of CRIU's images. */
  readonly imagesBytes: number;
  /** Bytes of memory among them. */
  readonly pagesBytes: number;
  /** Bytes of the archive with the changes of the root file system. */
  readonly rootfsDiffBytes: number | undefined;
  /** The members that are known, in the order of the archive. */
  readonly members: readonly ArchivedMember[];
  /** The paths of others, which are not unpacked. */
  readonly ignored: readonly string[];
}

/** The container of a checkpoint archive. */
export interface ArchivedContainer {
  /** Its id. */
  readonly id: string | undefined;
  /** Its name; of a Kubernetes container the one in its pod. */
  readonly name: string | undefined;
  /** The name of its pod in Kubernetes. */
  readonly pod: string | undefined;
  /** The namespace of its pod in Kubernetes. */
  readonly namespace: string | undefined;
}

/** The image of a container in a checkpoint archive. */
export interface ArchivedImage {
  /** Its name, such as `docker.io/library/nginx:latest`. */
  readonly name: string | undefined;
  /** Its id or digest. */
  readonly id: string | undefined;
}

/** A network interface of a container in a checkpoint archive. */
export interface ArchivedNetwork {
  /** The name of the network. */
  readonly network: string;
  /** The name of the interface in the container. */
  readonly interface: string;
  /** Its addresses, each with the length of its prefix. */
  readonly addresses: readonly string[];
  /** Its MAC address. */
  readonly mac: string | undefined;
}

/** A file of a checkpoint archive. */
export interface ArchivedMember {
  /** Its path in the archive. */
  readonly name: string;
  /** Its size in bytes. */
  readonly bytes: number;
}

/** A checkpoint archive in a directory. */
export interface UnpackedCheckpointArchive extends CheckpointArchive {
  /** The directory, with the members under their names. */
  readonly directory: string;
  /** CRIU's images: for `imagesDirectory` of a restore. */
  readonly imagesDirectory: string;
  /** The tar archive with the changes of the root file system, for {@link applyRootfsDiff}. */
  readonly rootfsDiff: string | undefined;
}
