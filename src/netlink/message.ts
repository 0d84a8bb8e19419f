// The framing that all netlink protocols share: linux/netlink.h.

/** Types of messages that every protocol has. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** Flags of requests. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;

/** Size of struct nlmsghdr, in bytes. */
const HEADER_SIZE = 16;
/** Size of the header of struct nlattr, in bytes. */
const ATTRIBUTE_HEADER_SIZE = 4;

/** A message that the kernel sent. */
export interface NetlinkMessage {
  readonly type: number;
  readonly body: Buffer;
}

/** Encodes a message: struct nlmsghdr, then the body. */
export function encodeMessage(type: number, flags: number, ...body: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt32LE(HEADER_SIZE + body.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return Buffer.concat([header, ...body]);
}

/** Encodes an attribute: struct nlattr, then the value, padded. A text gets its terminating zero. */
export function encodeAttribute(type: number, content: string | Buffer): Buffer {
  const value = typeof content === 'string' ? Buffer.from(`${content}\0`) : content;
  const length = ATTRIBUTE_HEADER_SIZE + value.length;
  const attribute = Buffer.alloc(aligned(length));
  attribute.writeUInt16LE(length, 0);
  attribute.writeUInt16LE(type, 2);
  value.copy(attribute, ATTRIBUTE_HEADER_SIZE);
  return attribute;
}

/** Splits a packet into its messages. */
export function* parseMessages(packet: Buffer): Generator<NetlinkMessage> {
  for (let at = 0; at + HEADER_SIZE <= packet.length; ) {
    const length = packet.readUInt32LE(at);
    if (length < HEADER_SIZE) return;
    yield {
      type: packet.readUInt16LE(at + 4),
      body: packet.subarray(at + HEADER_SIZE, at + length),
    };
    at += aligned(length);
  }
}

/** Splits the attributes of a message into pairs of type and value. */
export function* parseAttributes(bytes: Buffer): Generator<readonly [type: number, value: Buffer]> {
  for (let at = 0; at + ATTRIBUTE_HEADER_SIZE <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_SIZE) return;
    yield [bytes.readUInt16LE(at + 2), bytes.subarray(at + ATTRIBUTE_HEADER_SIZE, at + length)];
    at += aligned(length);
  }
}

const aligned = (length: number) => (length + 3) & ~3;
