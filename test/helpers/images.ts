import fc from 'fast-check';
import { imageChunks } from '../../src/images/encode-image.ts';
import { layouts, messageOf } from '../../src/images/image-layouts.ts';
import type { ImageKind, NewImageEntry } from '../../src/images.ts';
import { messageOf as anyMessageOf } from './arbitraries.ts';

export const imageKinds = Object.keys(layouts) as ImageKind[];

/** An image with any entries, as what it is encoded from and as its content. */
export interface SampleImage {
  readonly kind: ImageKind;
  readonly entries: NewImageEntry[];
  readonly bytes: Buffer;
}

/** Any entries of a kind, with payloads that fit them. */
export function entriesOf(kind: ImageKind): fc.Arbitrary<NewImageEntry[]> {
  const rest = fc.array(anyMessageOf<object>(layouts[kind].message.name), { maxLength: 3 });
  const { head } = layouts[kind];
  const messages = head
    ? fc.tuple(anyMessageOf<object>(head.name), rest).map(([first, others]) => [first, ...others])
    : rest;
  return fc
    .tuple(messages, fc.infiniteStream(fc.uint8Array({ maxLength: 100 })))
    .map(([all, payloads]) => all.map((message) => withPayload(kind, message, payloads)));
}

/** The content of an image. */
export async function bytesOfImage(kind: ImageKind, entries: NewImageEntry[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of imageChunks(kind, entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** One image of each kind, the same in each run. */
export async function sampleImages(seed: number): Promise<SampleImage[]> {
  const images = imageKinds.map(async (kind, index) => {
    // The last of several is not one of the simplest, which come first.
    const entries = fc.sample(entriesOf(kind), { seed: seed + index, numRuns: 4 }).at(-1) ?? [];
    return { kind, entries, bytes: await bytesOfImage(kind, entries) };
  });
  return await Promise.all(images);
}

/** The name of the message of an entry. */
export function messageName(kind: ImageKind, index: number): string {
  return messageOf(layouts[kind], index).name;
}

function withPayload(
  kind: ImageKind,
  message: object,
  payloads: Iterator<Uint8Array>,
): NewImageEntry {
  const next = () => Buffer.from(payloads.next().value as Uint8Array);
  const entry = (changes: object, payload?: unknown) =>
    ({ kind, message: { ...message, ...changes }, payload }) as unknown as NewImageEntry;
  switch (kind) {
    case 'BPFMAP_DATA': {
      const payload = next();
      return entry(
        { keys_bytes: Math.min(payload.length, 3), values_bytes: Math.max(0, payload.length - 3) },
        payload,
      );
    }
    case 'FIFO_DATA':
    case 'PIPES_DATA': {
      const payload = next();
      return entry({ bytes: payload.length }, payload);
    }
    case 'SK_QUEUES': {
      const payload = next();
      return entry({ length: payload.length }, payload);
    }
    case 'TCP_STREAM': {
      const [inq, outq] = [next(), next()];
      return entry({ inq_len: inq.length, outq_len: outq.length }, { inq, outq });
    }
    case 'IPCNS_SHM': {
      if ('in_pagemaps' in message && message.in_pagemaps) return entry({});
      const payload = next();
      return entry({ size: payload.length }, payload);
    }
    case 'IPCNS_SEM': {
      const values = [...next()];
      return entry({ nsems: values.length }, values);
    }
    case 'IPCNS_MSG': {
      const texts = Array.from({ length: next().length % 4 }, next);
      const messages = texts.map((data, index) => ({
        message: { mtype: BigInt(index), msize: data.length },
        data,
      }));
      return entry({ qnum: messages.length }, messages);
    }
    case 'GHOST_FILE': {
      if (!('len' in message)) return entry({ chunks: true });
      const payload = next();
      return entry({ len: payload.length }, payload);
    }
    default:
      return entry({});
  }
}
