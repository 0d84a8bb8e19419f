/** Those of protobuf's types that CRIU's messages use. */
export type Scalar =
  | 'bool'
  | 'bytes'
  | 'fixed64'
  | 'int32'
  | 'int64'
  | 'sint32'
  | 'sint64'
  | 'string'
  | 'uint32'
  | 'uint64';

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
  /** True if a list of numbers is written in one piece. */
  readonly packed?: true;
  /** How crit shows the field in its readable form. */
  readonly format?: FieldFormat;
}

/** See proto/images/options.proto. */
export interface FieldFormat {
  readonly hex?: true;
  readonly ipadd?: true;
  readonly flags?: string;
  readonly dev?: true;
  readonly odev?: true;
  readonly dict?: string;
  readonly conv?: string;
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

const fieldLists = new WeakMap<MessageType, readonly Field[]>();

/** The fields of a message in the order of their numbers. */
export function fieldsInOrder(type: MessageType): readonly Field[] {
  const known = fieldLists.get(type);
  if (known) return known;
  const fields = Object.values(type.fields);
  fieldLists.set(type, fields);
  return fields;
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

/** The wire type of a value that is not in a packed list. */
export function wireTypeOf(type: FieldType): number {
  if (typeof type === 'object') return isMessage(type) ? DELIMITED : VARINT;
  if (type === 'string' || type === 'bytes') return DELIMITED;
  return type === 'fixed64' ? FIXED_64 : VARINT;
}

/** The fields of a message that this version does not know, as they were encoded. */
export const UNKNOWN_FIELDS: unique symbol = Symbol('unknown fields');
