import { asCriuError, CriuError, invalid } from '../errors.ts';
import { replaceFile } from '../process/replaced-file.ts';
import { encodeExactly } from '../protobuf/encode.ts';
import type { ImageEntry } from './decode-image.ts';
import { headerBytes, wordBytes } from './image-file.ts';
import { type ImageKind, isImageKind } from './image-kinds.ts';
import { layouts, messageOf } from './image-layouts.ts';
import type { Payload } from './payload.ts';

/** Small pieces are written together up to this size. */
const CHUNK = 64 * 1024;

/** An entry to be written: payloads may be bytes, or what {@link decodeImage} gave. */
export type NewImageEntry<Kind extends ImageKind = ImageKind> = {
  [Each in Kind]: Partial<Pick<ImageEntry<Each>, 'kind'>> &
    Pick<ImageEntry<Each>, 'message'> & {
      /** What follows the entry, of the kinds that have a payload. */
      payload?: ImageEntry<Each, Payload | Uint8Array>['payload'];
    };
}[Kind];

/** Entries in the order of the file. */
export type NewImageEntries<Kind extends ImageKind = ImageKind> =
  | Iterable<NewImageEntry<Kind>>
  | AsyncIterable<NewImageEntry<Kind>>;

/**
 * Writes an image of CRIU. What {@link decodeImage} has read becomes the same bytes. The file appears, or is
 * replaced, when all entries are written; it has the mode 0600.
 * @param path path of the file; entries may be read from the file that is replaced
 * @param kind what the image contains
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if an entry is not of that kind, or does not fit its payload;
 * ERR_CRIU_SYSTEM if the file cannot be written; and what reading the entries throws
 */
export async function encodeImage<Kind extends ImageKind>(
  path: string,
  kind: Kind,
  entries: NewImageEntries<Kind>,
): Promise<void> {
  const operation = 'encodeImage';
  if (typeof path !== 'string') throw invalid(operation, 'path', 'a path', path);
  try {
    await replaceFile(path, async (file) => {
      for await (const chunk of imageChunks(kind, entries)) await file.writeFile(chunk);
    });
  } catch (error) {
    throw asCriuError(operation, error);
  }
}

/**
 * The content of an image of CRIU in pieces, as {@link encodeImage} writes it.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, and what reading the entries throws
 */
export async function* imageChunks<Kind extends ImageKind>(
  kind: Kind,
  entries: NewImageEntries<Kind>,
): AsyncGenerator<Buffer, void, undefined> {
  if (!isImageKind(kind)) throw invalid('encodeImage', 'kind', 'a kind of images', kind);
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of piecesOf(kind, entries)) {
    pieces.push(piece);
    size += piece.length;
    if (size < CHUNK) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pieces);
}

async function* piecesOf<Kind extends ImageKind>(
  kind: Kind,
  entries: NewImageEntries<Kind>,
): AsyncIterable<Uint8Array> {
  yield headerBytes(kind);
  const layout = layouts[kind];
  let index = 0;
  for await (const { kind: own, message, payload } of entries) {
    if (own !== undefined && own !== kind) {
      throw refused(index, `is of kind ${own}, not ${kind}`);
    }
    try {
      const bytes = encodeExactly(messageOf(layout, index), message, 'the message');
      yield wordBytes(bytes.length);
      yield bytes;
    } catch (error) {
      throw refusal(index, '', error);
    }
    try {
      if (layout.payload) yield* layout.payload.write(message, payload);
    } catch (error) {
      throw refusal(index, 'the payload ', error);
    }
    index++;
  }
}

/** Errors other than of the values, such as of reading a payload, stay as they are. */
function refusal(index: number, what: string, error: unknown): unknown {
  return error instanceof TypeError ? refused(index, `: ${what}${error.message}`, error) : error;
}

function refused(index: number, why: string, cause?: unknown): CriuError {
  const operation = 'encodeImage';
  const message = `${operation}: entry ${index}${why.startsWith(':') ? '' : ' '}${why}`;
  const details = { operation, option: 'entries', cause };
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, details);
}
