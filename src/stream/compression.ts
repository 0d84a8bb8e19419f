import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createGzip } from 'node:zlib';
import { builtins } from '../builtins.ts';
import { CriuError } from '../errors.ts';

/** How a stream is compressed. */
export type StreamCompression = 'gzip' | 'zstd';

/** How much the compressor emits at a time. */
const CHUNK = 1 << 16;
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

/** Compresses chunks, or passes them on as they are. */
export function compress(
  chunks: AsyncIterable<Buffer>,
  compression: StreamCompression | undefined,
): AsyncIterable<Buffer> {
  if (compression === undefined) return chunks;
  // The processes are frozen meanwhile, so that speed counts more than size.
  const options = { level: constants.Z_BEST_SPEED, chunkSize: CHUNK };
  return through(chunks, compression === 'gzip' ? createGzip(options) : zstd().compress());
}

/** Decompresses chunks whose first bytes say that they are compressed, and passes others on. */
export async function* decompress(
  operation: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  const { first, all } = await peek(chunks, MAGIC.zstd.length);
  const begins = (magic: readonly number[]) => magic.every((byte, index) => first[index] === byte);
  if (begins(MAGIC.gzip)) {
    yield* through(all, createGunzip({ chunkSize: CHUNK }));
  } else if (begins(MAGIC.zstd)) {
    requireZstd(operation, 'the stream');
    yield* through(all, zstd().decompress());
  } else {
    yield* all;
  }
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if this Node.js has no zstd */
export function requireZstd(operation: string, option: 'compression' | 'the stream'): void {
  if ('createZstdCompress' in builtins.zlib) return;
  const message = `${operation}: ${option === 'compression' ? "compression: 'zstd'" : 'a stream compressed with zstd'} needs Node.js 22.15 or newer, or 23.8; this is ${process.version}`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, {
    operation,
    ...(option === 'compression' && { option }),
  });
}

/** The first bytes of a stream, fewer if it is shorter, and the stream with them. */
export async function peek(
  chunks: AsyncIterable<Buffer>,
  size: number,
): Promise<{ first: Buffer; all: AsyncIterable<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  while (first.length < size) {
    const { done, value } = await iterator.next();
    if (done) break;
    first = Buffer.concat([first, value]);
  }
  return { first, all: rest(first, iterator) };
}

async function* rest(first: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    if (first.length > 0) yield first;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** An error of the source destroys the transform, and with it the reader. */
function through(chunks: AsyncIterable<Buffer>, transform: Transform): AsyncIterable<Buffer> {
  pipeline(Readable.from(chunks, { objectMode: false }), transform, () => {});
  return transform;
}

/** What Node.js 22.15 has, and the types of Node.js 20 have not. */
function zstd(): { compress(): Transform; decompress(): Transform } {
  const zlib = builtins.zlib as unknown as {
    createZstdCompress(options: object): Transform;
    createZstdDecompress(options: object): Transform;
  };
  return {
    compress: () => zlib.createZstdCompress({ chunkSize: CHUNK }),
    decompress: () => zlib.createZstdDecompress({ chunkSize: CHUNK }),
  };
}
