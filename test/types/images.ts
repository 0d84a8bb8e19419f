// Tests of the public types of node-criu/images, compiled as public.ts is.
import {
  type CheckpointDescription,
  type CheckpointDifference,
  type CheckpointManifest,
  type ChecksumMethod,
  type CoreEntry,
  type DescribedProcess,
  decodeImage,
  describeCheckpoint,
  diffCheckpoints,
  type EditedCheckpoint,
  editCheckpoint,
  encodeImage,
  type FileChecksum,
  type GhostChunkEntry,
  type GhostFileEntry,
  hexdump,
  type ImageEntry,
  type ImageKind,
  imageChunks,
  imageFromJson,
  type imageKind,
  imageToJson,
  type JsonImage,
  type ManifestHost,
  type ManifestProcess,
  type ManifestRestore,
  type MemoryMatch,
  type MemoryPiece,
  type MergedImages,
  type memorySizes,
  mergeImages,
  type PagemapEntry,
  type Payload,
  type ProcessMemorySize,
  type PstreeEntry,
  type QueuedMessage,
  readManifest,
  readMemory,
  searchMemory,
  type TcpQueues,
  writeCore,
} from 'node-criu/images';
import { same } from './same.ts';

export async function read(): Promise<void> {
  for await (const entry of decodeImage('pstree.img', { kind: 'PSTREE' })) {
    same<typeof entry.message, PstreeEntry>();
    same<typeof entry.payload, undefined>();
  }
  for await (const entry of decodeImage(new Uint8Array())) {
    same<typeof entry, ImageEntry>();
    if (entry.kind === 'CORE') same<typeof entry.message, CoreEntry>();
    if (entry.kind === 'PIPES_DATA') same<typeof entry.payload, Payload>();
    if (entry.kind === 'TCP_STREAM') same<typeof entry.payload, TcpQueues>();
    if (entry.kind === 'IPCNS_SEM') same<typeof entry.payload, number[]>();
    if (entry.kind === 'IPCNS_MSG') same<typeof entry.payload, QueuedMessage[]>();
    if (entry.kind === 'GHOST_FILE') same<typeof entry.message, GhostFileEntry | GhostChunkEntry>();
  }
  same<Awaited<ReturnType<typeof imageKind>>, ImageKind>();
  for await (const piece of readMemory('images', { pid: 1 })) same<typeof piece, MemoryPiece>();
  for await (const text of hexdump(readMemory('images', { pid: 1 }))) same<typeof text, string>();
  for await (const match of searchMemory('images', { pattern: /a/, context: 8 })) {
    same<typeof match, MemoryMatch>();
  }
  same<Awaited<ReturnType<typeof memorySizes>>, ProcessMemorySize[]>();
  const { missing } = await writeCore('images', { pid: 1, path: 'core' });
  same<typeof missing, readonly string[]>();
  // @ts-expect-error a core file is that of one process
  await writeCore('images', { path: 'core' });
  for await (const text of imageToJson('files.img', { pretty: true })) same<typeof text, string>();
}

export async function write(entry: PagemapEntry): Promise<void> {
  same<typeof entry.vaddr, bigint>();
  same<typeof entry.flags, number | undefined>();
  await encodeImage('pagemap-1.img', 'PAGEMAP', [{ message: { pages_id: 1 } }, { message: entry }]);
  await encodeImage('fs-1.img', 'FS', decodeImage('fs-2.img', { kind: 'FS' }));
  // @ts-expect-error a message of another kind
  await encodeImage('fs-1.img', 'FS', [{ message: entry }]);
  // @ts-expect-error a missing field
  await encodeImage('fs-1.img', 'FS', [{ message: { cwd_id: 1 } }]);
  same<Awaited<ReturnType<typeof mergeImages>>, MergedImages>();
  await mergeImages('images/2', 'merged', { overwrite: true });
  const edited = await editCheckpoint('images', 'edited', {
    listen: [{ from: 8080, to: '127.0.0.1:9090' }],
    environment: { MODE: 'test' },
  });
  same<typeof edited, EditedCheckpoint>();
  const image = imageFromJson('{}');
  same<typeof image, JsonImage>();
  for await (const chunk of imageChunks(image.kind, image.entries)) same<typeof chunk, Buffer>();
  await encodeImage('pipes-data.img', 'PIPES_DATA', [
    { message: { pipe_id: 1, bytes: 1 }, payload: new Uint8Array(1) },
  ]);
}

export async function describe(): Promise<void> {
  const checkpoint = await describeCheckpoint('images', { secrets: true });
  same<typeof checkpoint, CheckpointDescription>();
  for (const process of checkpoint.processes) same<typeof process, DescribedProcess>();
  for (const file of checkpoint.files) {
    if (file.type === 'inet') same<typeof file.state, string>();
    if (file.type === 'eventfd') same<typeof file.counter, number>();
    // @ts-expect-error a property of another type of files
    if (file.type === 'pipe') file.counter;
  }
  for (const { start } of checkpoint.processes[0]?.mappings ?? []) BigInt(start);
  // @ts-expect-error an unknown option
  await describeCheckpoint('images', { secret: true });
}

export async function manifest(): Promise<void> {
  const manifest = await readManifest('images');
  same<typeof manifest, CheckpointManifest | undefined>();
  if (!manifest) return;
  same<typeof manifest.host, ManifestHost>();
  same<typeof manifest.restore, ManifestRestore>();
  same<typeof manifest.processes, readonly ManifestProcess[]>();
  same<typeof manifest.checksum, ChecksumMethod>();
  same<(typeof manifest.files)[string], FileChecksum>();
}

export async function diff(signal: AbortSignal): Promise<void> {
  const difference = await diffCheckpoints('before', 'after', { memory: false, signal });
  same<typeof difference, CheckpointDifference>();
  for (const { file } of difference.sockets.added) same<typeof file.text, string>();
  // @ts-expect-error the memory may not have been compared
  difference.memory.pagesChanged;
}
