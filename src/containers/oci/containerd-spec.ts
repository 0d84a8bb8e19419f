import { decode } from '../../protobuf/decode.ts';
import { encode } from '../../protobuf/encode.ts';
import type { MessageType } from '../../protobuf/message-type.ts';
import { BadStream } from '../../stream/byte-input.ts';

/** What containerd calls the specification of a container. Source: containerd's typeurl of specs.Spec. */
const TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';

/** Protobuf's `google.protobuf.Any`. */
const ANY: MessageType<{ type_url?: string | undefined; value?: Uint8Array | undefined }> = {
  name: 'Any',
  required: [],
  fields: { 1: { name: 'type_url', type: 'string' }, 2: { name: 'value', type: 'bytes' } },
};

/** The JSON in an `Any`. @throws BadStream */
export function specOf(any: Buffer): Buffer {
  try {
    const { value } = decode(ANY, any);
    if (value !== undefined) return value;
  } catch {
    // It is no such message.
  }
  throw new BadStream('the specification of the container is damaged', 0);
}

/** The reverse. */
export function anyOf(spec: Buffer): Buffer {
  return Buffer.from(encode(ANY, { type_url: TYPE, value: spec }, 'the specification'));
}
