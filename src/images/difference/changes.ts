import type { Change, Changes } from './checkpoint-difference.ts';

/**
 * Finds what was added, removed and changed.
 * @param keyOf things with the same key are the same
 * @param propertiesOf what is compared
 */
export function changesOf<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (one: T) => string | number,
  propertiesOf: (one: T) => object,
): Changes<T> {
  const known = new Map(before.map((one) => [keyOf(one), one]));
  const added: T[] = [];
  const changed: Change<T>[] = [];
  for (const one of after) {
    const key = keyOf(one);
    const other = known.get(key);
    if (other === undefined) {
      added.push(one);
      continue;
    }
    known.delete(key);
    const properties = differing(propertiesOf(other), propertiesOf(one));
    if (properties.length > 0) changed.push({ before: other, after: one, properties });
  }
  return { added, removed: [...known.values()], changed };
}

/** The names of the properties that differ. */
function differing(before: object, after: object): string[] {
  const texts = (from: object) =>
    new Map(Object.entries(from).map(([name, value]) => [name, JSON.stringify(value)]));
  const [one, other] = [texts(before), texts(after)];
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name));
}

/** The properties without some of them. */
export function without(from: object, names: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.has(name)));
}
