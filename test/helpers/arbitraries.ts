import fc from 'fast-check';
import protobuf from 'protobufjs';
import { rowOf } from '../../src/options/table.ts';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';
import { cases } from './option-cases.ts';
import { definitions, encodeResponse } from './wire.ts';

// --- Messages, from their definitions --------------------------------------------------------------

/** Any valid message of a type, without empty lists, which protobuf does not encode. */
export function messageOf<T extends object>(name: string): fc.Arbitrary<T> {
  return recordOf(definitions.lookupType(name)) as fc.Arbitrary<T>;
}

/** @param parent the type of the message around it; of a message within itself, the inner one has none */
function recordOf(type: protobuf.Type, parent?: protobuf.Type): fc.Arbitrary<unknown> {
  const nested = type.fieldsArray.filter(
    ({ resolvedType }) => type !== parent || resolvedType !== type,
  );
  const fields = nested.map((field): [string, fc.Arbitrary<unknown>] => {
    const one = valueIn(field.resolve(), type);
    return [field.name, field.repeated ? fc.array(one, { minLength: 1, maxLength: 5 }) : one];
  });
  const requiredKeys = nested.filter(({ required }) => required).map(({ name }) => name);
  return fc.record(Object.fromEntries(fields), { requiredKeys, noNullPrototype: true });
}

function valueIn(
  { type, resolvedType }: protobuf.Field,
  parent: protobuf.Type,
): fc.Arbitrary<unknown> {
  if (resolvedType instanceof protobuf.Enum) {
    return fc.constantFrom(...Object.keys(resolvedType.values));
  }
  if (resolvedType instanceof protobuf.Type) return recordOf(resolvedType, parent);
  const found = scalars[type];
  if (!found) throw new Error(`there are no values for ${type}`);
  return found;
}

const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  int32: fc.integer(),
  uint32: fc.nat(0xffffffff),
  uint64: fc.maxSafeNat(),
  fixed64: fc.maxSafeNat(),
  int64: fc.maxSafeInteger(),
  sint32: fc.integer(),
  sint64: fc.maxSafeInteger(),
  string: fc.string({ unit: 'binary' }),
};

export const requests = messageOf<CriuRequest>('criu_req');
export const responses = messageOf<CriuResponse>('criu_resp');

/** Packets that a criu might send: complete, modified and truncated responses, and random bytes. */
export const packets: fc.Arbitrary<Uint8Array> = fc.oneof(
  responses.map(encodeResponse),
  fc.uint8Array({ maxLength: 64 }),
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        responses.map(encodeResponse),
        fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { maxLength: 4 }),
        fc.option(fc.nat(1000)),
        fc.uint8Array({ maxLength: 4 }),
      )
      .map(([bytes, changes, end, more]) => {
        const changed = Uint8Array.from(bytes);
        for (const [place, byte] of changes) changed[place % changed.length] = byte;
        const cut = end === null ? changed.length : end % changed.length;
        return Buffer.concat([changed.subarray(0, cut), more]);
      }),
  },
);

// --- Valid options ----------------------------------------------------------------------

/** Text that CRIU can be given: not empty, without NUL, without half a surrogate pair. */
const text = fc
  .string({ unit: 'binary', minLength: 1 })
  .filter((string) => string !== '' && !string.includes('\0'));

/** Values for each type of option. Other options use the values of their test cases. */
const kinds: readonly (readonly [RegExp, (...found: string[]) => fc.Arbitrary<unknown>])[] = [
  [/^a boolean$/, () => fc.boolean()],
  [/^a non-empty string$/, () => text],
  [/^an array of non-empty strings$/, () => fc.array(text)],
  [/^a record of strings$/, () => fc.dictionary(text, text)],
  [/^an array of inode numbers$/, () => fc.array(fc.nat(0xffffffff))],
  [
    /^an integer from (\d+) to (\d+)$/,
    (_, least, most) => fc.integer({ min: Number(least), max: Number(most) }),
  ],
  [
    /^a file name without a slash$/,
    () => text.map((string) => string.replaceAll('/', '-')).filter((name) => !/^\.\.?$/.test(name)),
  ],
];

/** A value that the option accepts. */
export function acceptedBy(option: string): fc.Arbitrary<unknown> {
  const takes = rowOf.get(option)?.[1].kind.takes ?? '';
  for (const [pattern, make] of kinds) {
    const found = pattern.exec(takes);
    if (found) return make(...found);
  }
  const { accepted } = cases[option as keyof typeof cases];
  return fc.constantFrom(...accepted.map(([given]) => given));
}

// --- Invalid values -------------------------------------------------------------------------

const refuse = (): never => {
  throw new Error('not\nfor you');
};
const refuseOddly = (): never => {
  throw null;
};
const traps = (trap: () => never): ProxyHandler<object> =>
  Object.fromEntries(
    Object.getOwnPropertyNames(Reflect)
      .filter((name) => typeof Reflect[name as keyof typeof Reflect] === 'function')
      .map((name) => [name, trap]),
  );

/** Creates new values each time, because the code under test might change them. */
const nasty: readonly Recipe[] = [
  () => Symbol('a\nb'),
  () => 12n,
  () => -0,
  () => Number.NaN,
  () => refuse,
  () => class Nothing {},
  () => new Proxy({}, traps(refuse)),
  () => new Proxy([], traps(refuse)),
  () => new Proxy([], traps(refuseOddly)),
  () => new Proxy(['a'], { get: refuseOddly }),
  () => new Proxy({ fd: 1 }, { get: refuse }),
  () => revoked({}),
  () => revoked([]),
  () => new Array(2 ** 32 - 1),
  () => Object.assign(['a'], { length: 2 ** 32 - 1 }),
  () => new Array(100_000).fill(''),
  () => Object.defineProperty(['a'], 0, { get: refuse }),
  () => Object.defineProperty({}, 'fd', { get: refuse, enumerable: true }),
  () => Object.defineProperty({}, 'a', { get: refuseOddly, enumerable: true }),
  () => Object.defineProperty({}, Symbol.toStringTag, { get: refuse }),
  () => ({ [Symbol.toPrimitive]: refuse, toString: refuse, valueOf: refuse, toJSON: refuse }),
  () => ({ [Symbol.for('nodejs.util.inspect.custom')]: refuse }),
  () => ({ [Symbol.iterator]: refuse, length: 1 }),
  () => JSON.parse('{"__proto__": {"fd": 1}, "constructor": 1}'),
  () => Object.create(AbortSignal.prototype),
  () => Object.create({ fd: 0 }),
  () => new Error('two\nlines'),
  () => {
    const circle: unknown[] = [];
    circle.push(circle, { circle });
    return circle;
  },
  () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 5000; level++) deep = { deep };
    return deep;
  },
];

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Signals, and values that resemble one. */
const signals: readonly Recipe[] = [
  () => AbortSignal.abort(),
  () => new AbortController().signal,
  () => new Proxy(new AbortController().signal, {}),
  () => Object.create(AbortSignal.prototype),
  () => ({ aborted: false, addEventListener: refuse, removeEventListener: refuse }),
];

/** Creates a value. The generator never sees the value itself, which may throw when it is inspected. */
export type Recipe<T = unknown> = () => T;

/** Any JavaScript value, including hostile ones. */
export const anything: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...nasty) },
  recipeOf(
    fc.anything({
      maxDepth: 3,
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    }),
  ),
  recipeOf(fc.oneof(fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null))),
);

/** Recipes of harmless values, which are printed when a property fails. */
export function recipeOf<T>(values: fc.Arbitrary<T>): fc.Arbitrary<Recipe<T>> {
  return values.map((value) =>
    Object.assign(() => value, { [fc.toStringMethod]: () => fc.stringify(value) }),
  );
}

const names = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...rowOf.keys()) },
  fc.constantFrom(
    'signal',
    'signal',
    'deadlineMs',
    'gracePeriodMs',
    'hooks',
    'preDump',
    'descriptors',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'pid', 'two\nlines', '', '\u2028'),
  fc.string({ unit: 'binary' }),
);

/** Options with valid and invalid names and values. */
export const anyOptions: fc.Arbitrary<Recipe<object>> = fc
  .array(
    names.chain((name) => {
      const right = rowOf.has(name) ? [recipeOf(acceptedBy(name))] : [];
      if (name === 'signal') right.push(fc.constantFrom(...signals));
      const how = fc.constantFrom('value', 'value', 'value', 'getter');
      return fc.tuple(fc.constant(name), fc.oneof(...right, anything), how);
    }),
    { maxLength: 4 },
  )
  .map((entries) => {
    const make = () => {
      const options = {};
      for (const [name, value, how] of entries) {
        const descriptor = how === 'getter' ? { get: refuse } : { value: value() };
        Object.defineProperty(options, name, {
          ...descriptor,
          enumerable: true,
          configurable: true,
        });
      }
      return options;
    };
    const shown = () =>
      entries.map(([name, value, how]) => `${name}: ${how} ${fc.stringify(value)}`);
    return Object.assign(make, { [fc.toStringMethod]: () => `{ ${shown().join(', ')} }` });
  });
