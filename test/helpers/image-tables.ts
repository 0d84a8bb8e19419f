import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type EnumType,
  type FieldType,
  isMessage,
  type MessageType,
} from '../../src/protobuf/message-type.ts';

const directory = resolve('src/generated/images');
const modules: Record<string, EnumType | MessageType>[] = await Promise.all(
  readdirSync(directory).map((name) => import(`${directory}/${name}`)),
);

/** The tables of all messages of images, by name. */
export const imageTables: Readonly<Record<string, MessageType>> = Object.fromEntries(
  modules
    .flatMap((tables) => Object.values(tables))
    .filter((table) => isMessage(table))
    .map((table) => [table.name, table]),
);

/** A message with all required fields: those that are not given are 0, empty or false. */
export function completed(type: MessageType, given: object = {}): object {
  const values: Record<string, unknown> = { ...given };
  for (const { name, type: fieldType, repeated } of Object.values(type.fields)) {
    const value = values[name];
    if (value === undefined && !type.required.includes(name)) continue;
    const complete = (one: unknown) =>
      typeof fieldType === 'object' && isMessage(fieldType)
        ? completed(fieldType, one as object)
        : (one ?? emptyValue(fieldType));
    values[name] = repeated ? (value as unknown[]).map(complete) : complete(value);
  }
  return values;
}

function emptyValue(type: Exclude<FieldType, MessageType>): unknown {
  if (typeof type === 'object') return Object.keys(type.numbers)[0];
  if (type === 'bool') return false;
  if (type === 'string') return '';
  return type === 'bytes' ? Buffer.alloc(0) : 0;
}
