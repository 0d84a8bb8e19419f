/** Those of protobuf's types that CRIU's messages use. */
export type Scalar = 'bool' | 'bytes' | 'int32' | 'string' | 'uint32' | 'uint64';

export type FieldType = Scalar | EnumType | MessageType;

export interface EnumType {
  readonly name: string;
  /** The number of each name. */
  readonly numbers: Readonly<Record<string, number>>;
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly repeated?: true;
}

/** How a message is encoded. `T` is the type of the decoded message. */
export interface MessageType<T = unknown> {
  readonly name: string;
  /** The names of the required fields. */
  readonly required: readonly string[];
  /** By number. */
  readonly fields: Readonly<Record<number, Field>>;
  /** Never present: makes the compiler infer `T`. */
  readonly message?: T;
}

export function isMessage(type: FieldType): type is MessageType {
  return typeof type === 'object' && 'fields' in type;
}

// Wire types, the lower three bits of a tag. Source: https://protobuf.dev/programming-guides/encoding/
export const VARINT = 0;
export const FIXED_64 = 1;
export const DELIMITED = 2;
export const GROUP_START = 3;
export const GROUP_END = 4;
export const FIXED_32 = 5;

/** True if values of the type have their length before them. */
export function isDelimited(type: FieldType): boolean {
  return type === 'string' || type === 'bytes' || isMessage(type);
}
