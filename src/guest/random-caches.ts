import { randomInt, randomUUID } from 'node:crypto';

/** How many UUIDs and integers Node draws at once and keeps, in all versions up to 26. */
const UUIDS = 128;
const INTEGERS = 1024;

/** Uses up the random values that Node has drawn in advance, so that the next ones are drawn anew. */
export function dropRandomCaches(): void {
  for (let count = 0; count < UUIDS; count++) randomUUID();
  for (let count = 0; count < INTEGERS; count++) randomInt(1);
}
