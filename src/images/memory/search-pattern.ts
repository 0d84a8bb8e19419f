import { invalid } from '../../errors.ts';
import { check, type Shape } from '../../options/check.ts';
import { integer } from '../../options/kinds.ts';

const MAX_LENGTH = 1024 * 1024;
const DEFAULT_MATCH_LENGTH = 4096;
const encodings = ['utf8', 'latin1', 'utf16le'] as const;

/** What is searched for: one of `text`, `pattern` and `bytes`. */
export interface MemoryPattern {
  /** A text, as its bytes in `encoding`. */
  readonly text?: string | undefined;
  /** How programs encode the text. V8 has strings as `latin1` or `utf16le`; default `utf8`. */
  readonly encoding?: 'utf8' | 'latin1' | 'utf16le' | undefined;
  /**
   * An expression for bytes, each of which is the character with its number (latin1). Its flag `g` has no effect, and
   * `^` and `$` have no meaning without its flag `m`.
   */
  readonly pattern?: RegExp | undefined;
  /** The most bytes of a match of `pattern`, which longer ones are cut to; default 4096, at most 1 MiB. */
  readonly maxMatchLength?: number | undefined;
  /** Bytes. */
  readonly bytes?: Uint8Array | undefined;
}

/** Where a match is in a window. */
export interface Found {
  readonly at: number;
  readonly length: number;
}

/** Something to search for. */
export interface Finder {
  /** The most bytes that a match has. */
  readonly maxLength: number;
  /** How many bytes before a match decide whether it is one. */
  readonly behind: number;
  /** Returns a function that finds the first match from an index on. */
  over(window: Buffer): (from: number) => Found | undefined;
}

/** The checks of the options. */
export const patternShape: Shape<MemoryPattern> = {
  text: check('a string that is not empty', (value) => typeof value === 'string' && value !== ''),
  encoding: check(`one of ${encodings.join(', ')}`, (value) => encodings.includes(value as never)),
  pattern: check('a RegExp', (value) => value instanceof RegExp),
  maxMatchLength: integer(1, MAX_LENGTH),
  bytes: check('a Uint8Array that is not empty', (value) => {
    return value instanceof Uint8Array && value.length > 0;
  }),
};

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function finderOf(operation: string, options: MemoryPattern): Finder {
  const { text, pattern, bytes, encoding = 'utf8', maxMatchLength } = options;
  const given = [text, pattern, bytes].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw invalid(operation, 'text', 'what to search for, or else pattern or bytes does', text);
  }
  if (pattern !== undefined) return expressionFinder(pattern, maxMatchLength);
  if (maxMatchLength !== undefined) {
    throw invalid(operation, 'maxMatchLength', 'a number with pattern only', maxMatchLength);
  }
  const needle =
    text === undefined ? Buffer.from(bytes as Uint8Array) : Buffer.from(text, encoding);
  if (needle.length > MAX_LENGTH) {
    const option = text === undefined ? 'bytes' : 'text';
    throw invalid(operation, option, `at most ${MAX_LENGTH} bytes`, text ?? bytes);
  }
  return {
    maxLength: needle.length,
    behind: 0,
    over: (window) => (from) => {
      const at = window.indexOf(needle, from);
      return at < 0 ? undefined : { at, length: needle.length };
    },
  };
}

function expressionFinder(pattern: RegExp, maxLength = DEFAULT_MATCH_LENGTH): Finder {
  const expression = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`);
  return {
    maxLength,
    behind: maxLength,
    over(window) {
      const text = window.toString('latin1');
      return (from) => {
        expression.lastIndex = from;
        for (;;) {
          const match = expression.exec(text);
          if (match === null) return undefined;
          const [{ length }] = match;
          if (length > 0) return { at: match.index, length: Math.min(length, maxLength) };
          // An empty match is none.
          expression.lastIndex = match.index + 1;
        }
      };
    },
  };
}
