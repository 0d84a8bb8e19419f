import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { builtins } from '../../builtins.ts';
import { CriuError } from '../../errors.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { compress, decompress, peek } from '../../stream/compression.ts';

/** How an archive is compressed. */
export type ArchiveCompression = 'none' | 'gzip' | 'zstd';

const GZIP = Buffer.of(0x1f, 0x8b);
const ZSTD = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);

/** The compression that the name of a file stands for. */
export function compressionOf(name: string): ArchiveCompression {
  if (/\.(gz|tgz)$/.test(name)) return 'gzip';
  return /\.(zst|zstd|tzst)$/.test(name) ? 'zstd' : 'none';
}

/** Compresses chunks, with the program zstd where Node.js has none. */
export function compressed(
  operation: string,
  chunks: AsyncIterable<Buffer>,
  compression: ArchiveCompression,
): AsyncIterable<Buffer> {
  if (compression === 'none') return chunks;
  if (compression === 'gzip' || hasZstd()) return compress(chunks, compression);
  return throughZstd(operation, ['-q', '-c', '-1', '-T0'], chunks);
}

/** Finds out by the first bytes whether chunks are compressed, and decompresses them. */
export async function decompressed(
  operation: string,
  chunks: AsyncIterable<Buffer>,
): Promise<{ compression: ArchiveCompression; plain: AsyncIterable<Buffer> }> {
  const { first, all } = await peek(chunks, ZSTD.length);
  if (first.indexOf(GZIP) === 0) {
    return { compression: 'gzip', plain: decompress(operation, all) };
  }
  if (first.indexOf(ZSTD) !== 0) return { compression: 'none', plain: all };
  const plain = hasZstd()
    ? decompress(operation, all)
    : throughZstd(operation, ['-q', '-d', '-c'], all);
  return { compression: 'zstd', plain };
}

function hasZstd(): boolean {
  return 'createZstdCompress' in builtins.zlib;
}

/** Passes chunks through the program zstd, which ends with the last chunk or when nobody reads any more. */
async function* throughZstd(
  operation: string,
  args: readonly string[],
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  const child = builtins.childProcess.spawn('zstd', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr = `${stderr}${text}`.slice(-1000);
  });
  const closed = once(child, 'close').catch((cause: unknown) => {
    const message = `${operation}: zstd needs Node.js 22.15 or newer, or the program zstd on PATH: ${(cause as Error).message}`;
    throw new CriuError('ERR_CRIU_NOT_FOUND', message, { operation, cause });
  });
  // It is awaited below; until then a failure is not unhandled.
  closed.catch(() => {});
  const fed = pipeline(Readable.from(chunks, { objectMode: false }), child.stdin).catch(
    (error: unknown) => {
      // The program has said why it reads no more.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    },
  );
  fed.catch(() => child.kill('SIGKILL'));
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = await closed;
    await fed;
    if (code !== 0) throw new BadStream(stderr.trim().split('\n')[0] ?? `zstd: ${code}`, 0);
  } finally {
    child.kill('SIGKILL');
    await closed.catch(() => {});
  }
}
