import { Readable } from 'node:stream';
import { assertSource, plainChunks, type StreamSource, unreadable } from './receive-stream.ts';
import { type DecodeStreamOptions, readDecodeOptions } from './stream-options.ts';

const OPERATION = 'decodeStream';

/**
 * Decrypts and decompresses what {@link Criu.dumpStream} has written, without restoring it: the result is a tar
 * archive of the images. Recognises compression. {@link verifyImages} with `deep` verifies the extracted images.
 * @param source the stream; it is destroyed if the result is
 * @returns a stream that fails with ERR_CRIU_BAD_IMAGE if the source fails, is damaged, cut off, or encrypted with
 * another key, and with ERR_CRIU_INVALID_ARGUMENT if it is encrypted and no key is given, or the reverse. Do not use
 * what it has delivered before
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 * @example
 * ```ts
 * const archive = decodeStream(createReadStream('app.tar.gz.enc'), { encryption: { key } });
 * await pipeline(archive, createWriteStream('app.tar'));
 * ```
 */
export function decodeStream(source: StreamSource, options: DecodeStreamOptions = {}): Readable {
  const { encryption } = readDecodeOptions(OPERATION, options);
  assertSource(OPERATION, source);
  const archive = async function* () {
    try {
      yield* plainChunks(OPERATION, source, encryption);
    } catch (cause) {
      throw unreadable(OPERATION, cause);
    }
  };
  const stream = Readable.from(archive(), { objectMode: false });
  const { _destroy: destroy } = stream;
  stream._destroy = (error, callback) => {
    // The archive may wait for a source that delivers nothing more.
    if (source instanceof Readable) source.destroy();
    destroy.call(stream, error, callback);
  };
  return stream;
}
