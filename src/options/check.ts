import { CriuError, invalid, shownName, unknownOption } from '../errors.ts';

/** What an option takes. Build one with {@link check}, {@link object}, {@link either}, or take a kind. */
export interface Check {
  /** What the option takes, in the words of the error: `a boolean`. */
  readonly takes: string;
  /** True if the option takes the value. Never throws. */
  accepts(value: unknown): boolean;
  /** Reads the options inside an accepted value: see {@link object}. */
  readonly read?: (operation: string, option: string, value: unknown) => unknown;
  /** True if the option must be given: see {@link required}. */
  readonly isRequired?: true;
  /** Another name that a caller may try, for the suggestion after a typo: CRIU's own field. */
  readonly alias?: string;
}

/** A check per option of `T`. The compiler proves that no option is missing. */
export type Shape<T> = { readonly [Name in keyof T]-?: Check };

/**
 * Validates the options that a caller gives to a public function, and returns a copy of them, so
 * that getters run once and later changes by the caller have no effect. `undefined` counts as absent.
 *
 * ```ts
 * checkOptions('serveMigrations', given, {
 *   directory: required(text),
 *   listen: required(object<Listen>({ host: required(text), port: integer(0, 65535) })),
 *   restore: either(callback, anyObject),
 * });
 * // serveMigrations: listen.port takes an integer from 0 to 65535, not 'http'
 * // serveMigrations: there is no option directroy; did you mean directory?
 * ```
 *
 * @param operation the name of the function, with which every error message begins
 * @param within the option that holds these options, if they are nested
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; its `option` is the full name, as `listen.port`
 */
export function checkOptions<T extends object>(
  operation: string,
  given: T,
  shape: Shape<T>,
  within?: string,
): T {
  const options = readOptions(operation, given, within);
  const checks: Readonly<Record<string, Check>> = shape;
  const fullName = (name: string) => (within === undefined ? name : `${within}.${name}`);
  const values = options as Record<string, unknown>;
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || Object.hasOwn(checks, name)) continue;
    const meant = closestName(name, checks);
    throw unknownOption(operation, fullName(name), meant && fullName(meant));
  }
  for (const [name, check] of Object.entries(checks)) {
    if (values[name] === undefined && !check.isRequired) continue;
    values[name] = checkValue(operation, fullName(name), check, values[name]);
  }
  return options;
}

/**
 * Validates one value, such as an argument that is not part of an options object.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function checkValue<T>(operation: string, option: string, check: Check, value: T): T {
  if (!check.accepts(value)) throw invalid(operation, option, check.takes, value);
  return check.read ? (check.read(operation, option, value) as T) : value;
}

/** A check by a predicate; a predicate that throws (a getter does, or a proxy) counts as false. */
export function check(takes: string, accepts: (value: unknown) => boolean): Check {
  return {
    takes,
    accepts(value) {
      try {
        return accepts(value);
      } catch {
        return false;
      }
    },
  };
}

/** The same check for an option that must be given. */
export function required(check: Check): Check {
  return { ...check, isRequired: true };
}

/**
 * Options in an option, which errors name with a dot: `listen.port`.
 * @param takes what the option takes; by default an object with the names of the shape
 */
export function object<T extends object>(shape: Shape<T>, takes?: string): Check {
  const names = Object.entries<Check>(shape).map(([name, { isRequired }]) =>
    isRequired ? name : `${name}?`,
  );
  return {
    ...check(takes ?? `an object { ${names.join(', ')} }`, isRecord),
    read: (operation, option, value) => checkOptions(operation, value as T, shape, option),
  };
}

/** Functions in an option. The object stays the caller's, so that `this` in a function is that object. */
export function callbacks<T>(names: readonly (keyof T & string)[]): Check {
  const shape = Object.fromEntries(names.map((name) => [name, callback]));
  return {
    ...check('an object of functions', isObject),
    read(operation, option, value) {
      checkOptions<object>(operation, value as object, shape, option);
      return value;
    },
  };
}

/**
 * An object whose property names are data, such as environment variables.
 * @param takes what the option takes, which must say what names are allowed
 */
export function record(takes: string, isName: (name: string) => boolean, values: Check): Check {
  return {
    ...check(takes, isRecord),
    read(operation, option, value) {
      const entries = Object.entries(readOptions(operation, value as object, option));
      for (const [name, one] of entries) {
        if (!isName(name)) throw invalid(operation, option, takes, name);
        if (one !== undefined) checkValue(operation, `${option}.${name}`, values, one);
      }
      return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
    },
  };
}

/** What one of two checks takes; the first that accepts the value also reads it. */
export function either(first: Check, second: Check): Check {
  return {
    takes: `${first.takes}, or ${second.takes}`,
    accepts: (value) => first.accepts(value) || second.accepts(value),
    read: (operation, option, value) =>
      checkValue(operation, option, first.accepts(value) ? first : second, value),
  };
}

/** A function. */
export const callback: Check = check('a function', (value) => typeof value === 'function');

/** Any object, whose properties are checked elsewhere. The caller's object is copied. */
export const anyObject: Check = {
  ...check('an object', isRecord),
  read: (operation, option, value) => readOptions(operation, value as object, option),
};

/**
 * Copies an object of options by reading each property once, so that no property changes between
 * its check and its use.
 * @param within the option that holds these options, if they are nested
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it is no object, or a getter throws
 */
export function readOptions<T extends object>(operation: string, given: T, within?: string): T {
  const what = within ?? 'options';
  if (!isObject(given)) throw invalid(operation, what, 'an object', given);
  const names = read(operation, what, () => Object.keys(given));
  const entries = names.map((name) => [
    name,
    read(operation, within === undefined ? name : `${within}.${name}`, () => {
      return (given as Record<string, unknown>)[name];
    }),
  ]);
  return Object.fromEntries(entries);
}

function read<T>(operation: string, option: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    const message = `${operation}: ${shownName(option)} cannot be read`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option, cause });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** False for arrays, and for a Map, whose entries would be overlooked. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Names longer than this are not compared letter by letter. */
const MAX_NAME_LENGTH = 40;

/** The option that a caller most likely meant, or undefined if none has a similar name. */
export function closestName(
  given: string,
  options: Readonly<Record<string, { readonly alias?: string }>>,
): string | undefined {
  const wanted = normalized(given);
  const most = wanted.length < 4 || wanted.length > MAX_NAME_LENGTH ? 0 : wanted.length < 8 ? 1 : 2;
  let closest: string | undefined;
  let least = most + 1;
  for (const [name, { alias }] of Object.entries(options)) {
    for (const candidate of alias === undefined ? [name] : [name, alias]) {
      const same = normalized(candidate) === wanted;
      const distance = same
        ? 0
        : most === 0
          ? Infinity
          : editDistance(wanted, normalized(candidate));
      if (distance < least) [closest, least] = [name, distance];
    }
  }
  return closest;
}

function normalized(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}

/** How many letters to insert, delete, replace or swap with a neighbour to turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const cost = (cell: number | undefined, step: number) => (cell ?? Infinity) + step;
      current[column] = Math.min(
        cost(above[column], 1),
        cost(current[column - 1], 1),
        cost(above[column - 1], same ? 0 : 1),
        swapped ? cost(before[column - 2], 1) : Infinity,
      );
    }
    [before, above] = [above, current];
  }
  return above[b.length] ?? Infinity;
}
