import { BadStream } from '../../stream/byte-input.ts';

/** What containerd calls the specification of a container. Source: containerd's typeurl of specs.Spec. */
const TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
const [TYPE_FIELD, VALUE_FIELD] = [0x0a, 0x12];

/** The JSON in a `google.protobuf.Any`: field 1 is its type, field 2 its value. @throws BadStream */
export function specOf(any: Buffer): Buffer {
  for (let at = 0; at < any.length; ) {
    const tag = any[at];
    const { value: length, next } = varint(any, at + 1);
    at = next + length;
    if ((tag !== TYPE_FIELD && tag !== VALUE_FIELD) || at > any.length) break;
    if (tag === VALUE_FIELD) return any.subarray(next, at);
  }
  throw new BadStream('the specification of the container is damaged', 0);
}

/** The reverse. */
export function anyOf(spec: Buffer): Buffer {
  const type = Buffer.from(TYPE);
  return Buffer.concat([
    ...[Buffer.of(TYPE_FIELD), encodeVarint(type.length), type],
    ...[Buffer.of(VALUE_FIELD), encodeVarint(spec.length), spec],
  ]);
}

function varint(bytes: Buffer, start: number): { value: number; next: number } {
  let value = 0;
  for (let at = start; at < start + 5; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 128 ** (at - start);
    if (byte < 0x80) return { value, next: at + 1 };
  }
  throw new BadStream('the specification of the container is damaged', 0);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  return Buffer.from([...bytes, left]);
}
