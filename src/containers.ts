export {
  type ApplyRootfsDiffOptions,
  applyRootfsDiff,
} from './containers/archive/apply-rootfs-diff.ts';
export type * from './containers/archive/archive-description.ts';
export type { ArchiveSource, ReadArchiveOptions } from './containers/archive/archive-options.ts';
export type { ArchiveCompression } from './containers/archive/compression.ts';
export {
  type CreateRootfsDiffOptions,
  createRootfsDiff,
  type RootfsDiffResult,
} from './containers/archive/create-rootfs-diff.ts';
export { formatCheckpointArchive } from './containers/archive/format-archive.ts';
export { inspectCheckpointArchive } from './containers/archive/inspect-archive.ts';
export { readCheckpointArchive } from './containers/archive/read-archive.ts';
export { writeCheckpointArchive } from './containers/archive/write-archive.ts';
export type * from './containers/archive/write-options.ts';
export {
  Container,
  type ContainerManager,
  type OpenContainerOptions,
  openContainer,
} from './containers/container.ts';
export { type DumpPodOptions, dumpPod } from './containers/dump-pod.ts';
export {
  type ExportContainerOptions,
  type ExportedContainer,
  exportContainer,
} from './containers/export-container.ts';
export { type ImportContainerOptions, importContainer } from './containers/import-container.ts';
export {
  type ContainerDestination,
  type ContainerDestinationOptions,
  containerDestination,
} from './containers/migration/container-destination.ts';
export {
  ContainerMigration,
  type MigrateContainerOptions,
  type RootfsLayers,
} from './containers/migration/container-migration.ts';
export type {
  ContainerOffer,
  OfferedContainer,
  OfferedRootfs,
} from './containers/migration/offered-container.ts';
export type { ContainerPlacement } from './containers/migration/placement.ts';
export type { ContainerLink } from './containers/network/make-network.ts';
export type {
  OfferedLink,
  OfferedNetwork,
  OfferedRoute,
} from './containers/network/offered-network.ts';
export type { ContainerLinks } from './containers/network/placed-network.ts';
export {
  type CheckpointImage,
  pullCheckpointImage,
  pushCheckpointImage,
  readCheckpointImage,
  writeCheckpointImage,
} from './containers/oci/checkpoint-image.ts';
export type {
  PullImageOptions,
  PushImageOptions,
  ReadImageOptions,
  RegistryOptions,
  RegistryPassword,
  RegistryToken,
  WriteImageOptions,
} from './containers/oci/image-options.ts';
export { restoreContainer } from './containers/restore-container.ts';
export type { RestoreContainerOptions } from './containers/restore-options.ts';
export type { RestoredContainer } from './containers/restored-container.ts';
export type { ContainerStream } from './containers/standard-streams.ts';
