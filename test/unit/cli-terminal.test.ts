import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { titled } from '../../src/cli/style.ts';
import { tableOrParagraphs, wrapped } from '../../src/cli/text-layout.ts';

describe('lines on a terminal', () => {
  const remedy =
    'Give --tcp-established to the dump and the restore, or --tcp-close to close the connection at the restore.';

  test.each([40, 80, 200])('are broken at spaces at %i columns', (columns) => {
    const line = `  \u001b[1m\u001b[31merror TCP_ESTABLISHED:\u001b[39m\u001b[22m a connection. ${remedy}`;
    const lines = wrapped(line, columns).split('\n');
    expect(lines.every((one) => stripVTControlCharacters(one).length <= columns)).toBe(true);
    expect(lines.slice(1).every((one) => /^ {4}\S/.test(one))).toBe(true);
    expect(lines.map((one, at) => (at === 0 ? one : one.trimStart())).join(' ')).toBe(line);
  });

  test('keep a word that is longer than the terminal whole, so that it can be copied', () => {
    const path = `/var/lib/${'a'.repeat(60)}/images`;
    expect(wrapped(`no ${path} here`, 40)).toBe(`no\n  ${path}\n  here`);
  });

  test('stay as they are in a pipe', () => {
    expect(wrapped(`error: ${remedy}`, undefined)).toBe(`error: ${remedy}`);
  });
});

describe('a table', () => {
  const titles = ['ID', 'KIND', 'TARGET', 'OPERATOR'];
  const rows = [
    ['5e3e27b7-3ad3-43c7-aef6-07c5387aa061', 'drain', 'host-a', 'ada'],
    ['f1b246d7-a21b-417e-90ea-557204b2f28a', 'run', '-', 'ada'],
  ];

  test('has a line for each row where it fits, and in a pipe', () => {
    const table = `ID                                    KIND   TARGET  OPERATOR
5e3e27b7-3ad3-43c7-aef6-07c5387aa061  drain  host-a  ada
f1b246d7-a21b-417e-90ea-557204b2f28a  run    -       ada`;
    expect(tableOrParagraphs(titles, rows, 80)).toBe(table);
    expect(tableOrParagraphs(titles, rows, undefined)).toBe(table);
  });

  test('has a paragraph for each row on a terminal that is too narrow', () => {
    expect(tableOrParagraphs(titles, rows, 40)).toBe(`5e3e27b7-3ad3-43c7-aef6-07c5387aa061
  KIND drain  TARGET host-a
  OPERATOR ada
f1b246d7-a21b-417e-90ea-557204b2f28a
  KIND run  OPERATOR ada`);
  });
});

describe('titles of findings', () => {
  /** A stream that says that it is a terminal. */
  const terminal = Object.assign(new Writable(), { isTTY: true, getColorDepth: () => 8 });
  const severities = ['error', 'warning', 'info'] as const;
  beforeEach(() => void vi.stubEnv('NO_COLOR', undefined).stubEnv('FORCE_COLOR', undefined));
  afterEach(() => void vi.unstubAllEnvs());

  test.each(severities)('of %s can be read on black and on white', (severity) => {
    const text = titled(severity, 'title', terminal as never);
    expect(stripVTControlCharacters(text)).toBe('title');
    expect(text).toContain('\u001b[1m');
    // Of the eight colours, these have little contrast to one of the two.
    for (const colour of [30, 32, 33, 34, 36, 37, 90, 97]) {
      expect(text).not.toContain(`\u001b[${colour}m`);
    }
  });

  test.each(severities)('of %s are plain in a pipe', (severity) => {
    expect(titled(severity, 'title', new Writable())).toBe('title');
  });
});
