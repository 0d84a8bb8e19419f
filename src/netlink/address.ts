const MAPPED = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** The text of an IP address of 4 or 16 bytes. An IPv4 address that is mapped into IPv6 is one of IPv4. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.subarray(0, MAPPED.length).equals(MAPPED)) return bytes.subarray(-4).join('.');
  return addressTextV6(bytes);
}

/** The text of an IPv6 address. */
export function addressTextV6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}
