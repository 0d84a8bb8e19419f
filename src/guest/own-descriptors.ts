/** The descriptors of this library, and that of Node to the parent of this process. */
const own = new Set<number>();

/** Marks a descriptor as one that leads to a participant or to the host. */
export function addOwnDescriptor(fd: number): void {
  own.add(fd);
}

export function deleteOwnDescriptor(fd: number): void {
  own.delete(fd);
}

export function isOwnDescriptor(fd: number): boolean {
  const { channel } = process as { channel?: { fd?: number } };
  return own.has(fd) || channel?.fd === fd;
}
