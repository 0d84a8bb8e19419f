import { native } from '../../src/native/index.ts';

/** A range of pages, as CRIU requests it. */
export interface Pages {
  readonly pid?: number;
  readonly start?: number;
  readonly count?: number;
}

/** The commands of CRIU 4.2 on the connection between a lazy-pages daemon and its source. */
export const commands = { add: 6, get: 7, close: 0x1023, forceClose: 0x1024 } as const;

/** A message of CRIU's page server protocol. */
export function pageMessage(
  command: number,
  { pid = 1, start = 0, count = 1 }: Pages = {},
): Buffer {
  const message = Buffer.alloc(32);
  message.writeUInt32LE(command, 0);
  message.writeUInt32LE(count, 8);
  message.writeBigUInt64LE(BigInt(start), 16);
  message.writeBigUInt64LE(BigInt(pid), 24);
  return message;
}

/** A request for pages, with the flag that CRIU's daemon sets. */
export const pageRequest = (pages: Pages = {}) => pageMessage(commands.get | (4 << 16), pages);

/** An answer with pages, each filled with one byte. */
export function pageAnswer(pages: Pages = {}, fill = 0xff): Buffer {
  const content = Buffer.alloc((pages.count ?? 1) * native().pageSize, fill);
  return Buffer.concat([pageMessage(commands.add | (4 << 16), pages), content]);
}
