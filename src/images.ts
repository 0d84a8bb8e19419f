export type * from './generated/images/types.ts';
export type { ChecksumMethod, FileChecksum } from './images/checksum.ts';
export {
  type DecodeImageOptions,
  decodeImage,
  type ImageEntry,
  type ImagePayloads,
  imageKind,
} from './images/decode-image.ts';
export type {
  CheckpointDescription,
  DescribeCheckpointOptions,
  DescribedCgroups,
  DescribedLock,
  DescribedMount,
  DescribedNamespace,
  DescribedPipe,
} from './images/description/checkpoint-description.ts';
export type {
  CheckpointNeeds,
  NeededAddress,
  NeededExternal,
  NeededFile,
  NeededOption,
} from './images/description/checkpoint-needs.ts';
export { describeCheckpoint } from './images/description/describe-checkpoint.ts';
export type * from './images/description/described-file.ts';
export type * from './images/description/described-memory.ts';
export type * from './images/description/described-process.ts';
export type * from './images/difference/checkpoint-difference.ts';
export { diffCheckpoints } from './images/difference/diff-checkpoints.ts';
export type { DumpStats } from './images/dump-stats.ts';
export {
  encodeImage,
  imageChunks,
  type NewImageEntries,
  type NewImageEntry,
} from './images/encode-image.ts';
export type { ImageKind } from './images/image-kinds.ts';
export type { ImageMessages } from './images/image-messages.ts';
export {
  type ImageToJsonOptions,
  imageFromJson,
  imageToJson,
  type JsonImage,
} from './images/json/image-json.ts';
export {
  type CheckpointManifest,
  type ManifestHost,
  type ManifestProcess,
  type ManifestRestore,
  readManifest,
} from './images/manifest.ts';
export {
  type CoreFile,
  type WriteCoreOptions,
  writeCore,
} from './images/memory/core/write-core.ts';
export { hexdump } from './images/memory/hexdump.ts';
export type { MappingKind, MemoryMapping } from './images/memory/mappings.ts';
export type { MemoryPiece } from './images/memory/memory-level.ts';
export {
  type MappedFileSize,
  type MappingSize,
  type MemorySize,
  type MemorySizesOptions,
  memorySizes,
  type ProcessMemorySize,
} from './images/memory/memory-sizes.ts';
export { type ReadMemoryOptions, readMemory } from './images/memory/read-memory.ts';
export {
  type MemoryMatch,
  type SearchMemoryOptions,
  searchMemory,
} from './images/memory/search-memory.ts';
export type { MemoryPattern } from './images/memory/search-pattern.ts';
export type { Payload } from './images/payload.ts';
export type { QueuedMessage, TcpQueues } from './images/payload-formats.ts';
export {
  type EditCheckpointOptions,
  type EditedCheckpoint,
  editCheckpoint,
} from './images/rewrite/edit-checkpoint.ts';
export type { EditedVariable } from './images/rewrite/edit-environment.ts';
export type { EditedListener, ListenEdit } from './images/rewrite/edit-listeners.ts';
export type { EditedPath } from './images/rewrite/edit-paths.ts';
export { type MergeImagesOptions, mergeImages } from './images/rewrite/merge-images.ts';
export type { MergedImages } from './images/rewrite/merged-images.ts';
