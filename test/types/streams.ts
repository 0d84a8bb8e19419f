import { Readable } from 'node:stream';
import {
  Criu,
  type DecodeStreamOptions,
  type DumpStream,
  type DumpStreamOptions,
  type DumpStreamResult,
  decodeStream,
  type RestoredProcess,
  type RestoreStreamOptions,
  type StreamCompression,
  type StreamEncryption,
  type StreamSource,
} from 'node-criu';
import { same } from './same.ts';

const criu = new Criu();

export async function streams(key: Uint8Array): Promise<RestoredProcess> {
  const encryption: StreamEncryption = { key };
  const options: DumpStreamOptions = { compression: 'gzip', encryption, leaveRunning: true };
  const stream: DumpStream = await criu.dumpStream(1, options);
  const readable: Readable = stream;
  const result: DumpStreamResult = await stream.result;
  same<DumpStreamResult['archiveBytes'], number>();
  same<StreamCompression, 'gzip' | 'zstd'>();
  // @ts-expect-error: the images are in no directory
  result.imagesDirectory;
  // @ts-expect-error: there is no such compression
  await criu.dumpStream(1, { compression: 'lz4' });
  // @ts-expect-error: the images are in no directory
  await criu.dumpStream(1, { imagesDirectory: '/images' });

  const sources: StreamSource[] = [readable, stream, Readable.from([key]), new ReadableStream()];
  const restoring: RestoreStreamOptions = { encryption: { passphrase: 'of some length' } };
  const decoding: DecodeStreamOptions = { encryption };
  const archive: Readable = decodeStream(stream, decoding);
  sources.push(archive);
  // @ts-expect-error: a path is no stream
  await criu.restoreStream('/images', restoring);
  return await criu.restoreStream(sources[0] as StreamSource, { ...restoring, maxBytes: 2 ** 30 });
}
