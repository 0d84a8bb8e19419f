import { CriuError, invalid } from '../../errors.ts';
import { ipc_msg } from '../../generated/images/namespaces.ts';
import { decodeImage, type ImageEntry, imageKind } from '../decode-image.ts';
import type { NewImageEntry } from '../encode-image.ts';
import { type ImageKind, isImageKind } from '../image-kinds.ts';
import { layouts, messageOf } from '../image-layouts.ts';
import { heldPayload, type Payload } from '../payload.ts';
import type { QueuedMessage, TcpQueues } from '../payload-formats.ts';
import { messageFromJson, messageToJson } from './json-message.ts';
import { base64Pieces, type JsonValue, jsonParts, parseJson, separator } from './json-text.ts';

/** Options of {@link imageToJson}. */
export interface ImageToJsonOptions {
  /**
   * Show numbers in the form that suits their field: addresses in hexadecimal, flags and states by name, IP
   * addresses and device numbers as people write them; and indent the text. By default `false`.
   */
  readonly pretty?: boolean | undefined;
}

/** An image that was read from JSON. */
export interface JsonImage<Kind extends ImageKind = ImageKind> {
  /** What the image contains. */
  kind: Kind;
  /** Its entries, for {@link encodeImage}. */
  entries: NewImageEntry<Kind>[];
}

/**
 * Reads an image as the JSON that `crit decode` gives, with `pretty` as `crit decode --pretty`. The text comes
 * in pieces, so that large images need little memory; it has no newline at its end.
 * @param source path of the file, or its content
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT
 */
export async function* imageToJson(
  source: string | Uint8Array,
  options: ImageToJsonOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { pretty = false } = options;
  const kind = await imageKind(source);
  const [begin, middle, end] = pretty
    ? ['{\n    "magic": ', ',\n    "entries": ', '\n}']
    : ['{"magic": ', ', "entries": ', '}'];
  const level = pretty ? 2 : undefined;
  let index = 0;
  let text = `${begin}"${kind}"${middle}[`;
  for await (const entry of decodeImage(source)) {
    text += separator(index, level);
    for (const part of jsonParts(entryToJson(entry, index, pretty), level)) {
      if (typeof part === 'string') text += part;
      else {
        yield text;
        text = '';
        yield* base64Pieces(part);
      }
    }
    index++;
    if (text.length < CHUNK) continue;
    yield text;
    text = '';
  }
  yield `${text}${pretty && index > 0 ? '\n    ' : ''}]${end}`;
}

/** Short texts are given together up to this size. */
const CHUNK = 64 * 1024;

/**
 * Reads an image from the JSON that {@link imageToJson} or crit has written, readable or not.
 * @param text the whole text
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT: the text is no such JSON, or names a field that does not exist
 */
export function imageFromJson(text: string): JsonImage {
  const operation = 'imageFromJson';
  if (typeof text !== 'string') throw invalid(operation, 'text', 'JSON', text);
  const refused = (why: string, cause?: unknown) =>
    new CriuError('ERR_CRIU_INVALID_ARGUMENT', `${operation}: ${why}`, {
      ...{ operation, option: 'text', cause },
    });
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw refused(`the text is no JSON: ${(cause as Error).message}`, cause);
  }
  const { magic: kind, entries } = (json ?? {}) as Record<string, unknown>;
  if (!isImageKind(kind)) throw refused('the member magic does not name a kind of images');
  if (!Array.isArray(entries)) throw refused('the member entries is not an array');
  return {
    kind,
    entries: entries.map((entry: unknown, index) => {
      try {
        return entryFromJson(kind, entry, index);
      } catch (cause) {
        throw refused(`entry ${index}: ${(cause as Error).message}`, cause);
      }
    }),
  };
}

function entryToJson(entry: ImageEntry, index: number, pretty: boolean): JsonValue {
  const { kind, message, payload } = entry;
  const json = messageToJson(messageOf(layouts[kind], index), message, pretty);
  const extra = payload === undefined ? undefined : extraToJson(entry);
  // crit has an empty text where the bytes are in a pagemap.
  if (kind === 'IPCNS_SHM') json.extra = extra ?? '';
  else if (extra !== undefined) json.extra = extra;
  return json;
}

function extraToJson({ kind, payload }: ImageEntry): JsonValue {
  if (kind === 'TCP_STREAM') return { inq: payload.inq, outq: payload.outq };
  if (kind !== 'IPCNS_MSG') return payload as Payload | number[];
  return payload.flatMap(({ message, data }): JsonValue[] => [
    messageToJson(ipc_msg, message, false),
    data,
  ]);
}

function entryFromJson(kind: ImageKind, json: unknown, index: number): NewImageEntry {
  const { extra, ...rest } = (json ?? {}) as Record<string, unknown>;
  const layout = layouts[kind];
  const message = messageFromJson(messageOf(layout, index), rest);
  if (!layout.payload) {
    if (extra !== undefined) throw new TypeError('extra is unknown');
    return { kind, message } as unknown as NewImageEntry;
  }
  return { kind, message, payload: extraFromJson(kind, extra) } as unknown as NewImageEntry;
}

function extraFromJson(kind: ImageKind, extra: unknown): unknown {
  if (kind === 'IPCNS_SEM') return extra;
  if (kind === 'TCP_STREAM') {
    const { inq, outq } = (extra ?? {}) as Record<string, unknown>;
    return { inq: bytesFromJson(inq), outq: bytesFromJson(outq) } satisfies TcpQueues;
  }
  if (kind !== 'IPCNS_MSG') return extra === undefined ? undefined : bytesFromJson(extra);
  if (!Array.isArray(extra) || extra.length % 2 !== 0) {
    throw new TypeError('extra is not an array of messages and texts');
  }
  return Array.from({ length: extra.length / 2 }, (_, index) => ({
    message: messageFromJson(ipc_msg, extra[2 * index]) as unknown as QueuedMessage['message'],
    data: bytesFromJson(extra[2 * index + 1]),
  })) satisfies QueuedMessage[];
}

function bytesFromJson(json: unknown): Payload {
  if (typeof json !== 'string') throw new TypeError('extra has no text in base64');
  return heldPayload(Buffer.from(json, 'base64'));
}
