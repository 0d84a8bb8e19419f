import { describe, expect, test } from 'vitest';
import {
  anyObject,
  callback,
  callbacks,
  checkOptions,
  closestName,
  either,
  object,
  record,
  required,
  type Shape,
} from '../../src/options/check.ts';
import { flag, integer, text } from '../../src/options/kinds.ts';
import { limits } from '../../src/options/operation-options.ts';
import { failureOf } from '../helpers/failures.ts';

interface Options {
  directory?: string;
  listen?: { host: string; port?: number };
  restore?: object;
  hooks?: { changed?(): void };
  names?: Readonly<Record<string, string>>;
}

const shape: Shape<Options> = {
  directory: required(text),
  listen: object<NonNullable<Options['listen']>>({
    host: required(text),
    port: integer(0, 65535),
  }),
  restore: either(callback, anyObject),
  hooks: callbacks<NonNullable<Options['hooks']>>(['changed']),
  names: record('a record of strings by lower-case name', (name) => /^[a-z]+$/.test(name), text),
};

const check = (given: unknown) => checkOptions('serve', given as Options, shape);
const directory = '/var/lib/service';

test.each<[option: string, given: unknown, message: string]>([
  ['options', null, 'options takes an object, not null'],
  ['options', 'fast', "options takes an object, not 'fast'"],
  ['directory', {}, 'directory takes a non-empty string, not undefined'],
  ['directory', { directory: 5 }, 'directory takes a non-empty string, not 5'],
  ['direktory', { direktory: '/a' }, 'there is no option direktory; did you mean directory?'],
  ['verbose', { directory, verbose: true }, 'there is no option verbose'],
  ['listen', { directory, listen: 80 }, 'listen takes an object { host, port? }, not 80'],
  [
    'listen',
    { directory, listen: new Map() },
    'listen takes an object { host, port? }, not Map(0) {}',
  ],
  ['listen.host', { directory, listen: {} }, 'listen.host takes a non-empty string, not undefined'],
  [
    'listen.port',
    { directory, listen: { host: 'a', port: 'http' } },
    "listen.port takes an integer from 0 to 65535, not 'http'",
  ],
  [
    'listen.prot',
    { directory, listen: { host: 'a', prot: 1 } },
    'there is no option listen.prot; did you mean listen.port?',
  ],
  ['restore', { directory, restore: 5 }, 'restore takes a function, or an object, not 5'],
  ['hooks', { directory, hooks: 5 }, 'hooks takes an object of functions, not 5'],
  ['hooks.changed', { directory, hooks: { changed: 5 } }, 'hooks.changed takes a function, not 5'],
  [
    'names',
    { directory, names: { A: 'a' } },
    "names takes a record of strings by lower-case name, not 'A'",
  ],
  ['names.a', { directory, names: { a: 5 } }, 'names.a takes a non-empty string, not 5'],
])('%s is refused in %j', async (option, given, message) => {
  const error = await failureOf(() => check(given));
  expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'serve', option });
  expect(error.message).toBe(`serve: ${message}`);
});

test('accepted options are copied, nested ones included', () => {
  const given = { directory, listen: { host: 'a', port: 1 }, names: { a: 'b' } };
  const options = check(given);
  expect(options).toEqual(given);
  given.listen.port = 2;
  expect(options.listen?.port).toBe(1);
});

test('each getter runs once', () => {
  let reads = 0;
  const given = {
    get directory() {
      reads++;
      return directory;
    },
  };
  expect(check(given).directory).toBe(directory);
  expect(reads).toBe(1);
});

test('a getter that throws is named', async () => {
  const cause = new Error('no');
  const listen = Object.defineProperty({}, 'host', {
    enumerable: true,
    get() {
      throw cause;
    },
  });
  const error = await failureOf(() => check({ directory, listen }));
  expect(error).toMatchObject({ option: 'listen.host', cause });
  expect(error.message).toBe('serve: listen.host cannot be read');
});

test('undefined counts as absent, also under an unknown name', () => {
  expect(() => check({ directory, listen: undefined, verbose: undefined })).not.toThrow();
});

test('an object of functions stays the object of the caller', () => {
  class Hooks {
    changed() {}
  }
  const hooks = new Hooks();
  expect(check({ directory, hooks }).hooks).toBe(hooks);
});

test.each<[string, unknown]>([
  ['options', null],
  ['options', 'soon'],
  ['signal', { signal: null }],
  ['signal', { signal: { aborted: false } }],
  ['deadlineMs', { deadlineMs: -1 }],
  ['deadlineMs', { deadlineMs: 1.5 }],
  ['deadlineMs', { deadlineMs: 2 ** 31 }],
  ['deadlineMs', { deadlineMs: Number.POSITIVE_INFINITY }],
  ['gracePeriodMs', { gracePeriodMs: '1' }],
  ['deadline', { deadline: 5 }],
])('of the limits of an operation, %s is refused in %o', async (option, options) => {
  const wrong = { code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'dump', option };
  const error = await failureOf(() => checkOptions('dump', options as object, limits));
  expect(error).toMatchObject(wrong);
});

describe('the closest name', () => {
  const names = { directory: flag, port: flag, lazyPages: { ...flag, alias: 'lazy_daemon' } };

  test.each([
    ['Directory', 'directory'],
    ['direcotry', 'directory'],
    ['dirctory', 'directory'],
    ['lazy-pages', 'lazyPages'],
    ['lazydaemon', 'lazyPages'],
    ['prot', 'port'],
    ['ports', 'port'],
  ])('to %s is %s', (given, meant) => {
    expect(closestName(given, names)).toBe(meant);
  });

  test.each(['', 'pot', 'toString', 'folder', 'x'.repeat(10_000)])(
    'to %s does not exist',
    (given) => {
      expect(closestName(given, names)).toBeUndefined();
    },
  );
});
