/** The major number of a device number as stat(2) returns it. */
export function major(device: number): number {
  return (device >>> 8) & 0xfff;
}

/** The minor number of a device number as stat(2) returns it. */
export function minor(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

/** `major:minor` of a device number in the kernel's own encoding: 12 and 20 bits. */
export function kernelDevice(device: number): string {
  return `${device >>> 20}:${device & 0xfffff}`;
}
