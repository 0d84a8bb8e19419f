import { stripVTControlCharacters } from 'node:util';
import { styled } from './style.ts';

/** Control characters, line separators, characters that change the direction of the text, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Below this, lines are not broken. */
const MIN_WIDTH = 20;

/** Text from images, with the characters escaped that a terminal would interpret. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** A title with lines below it; nothing without lines. */
export function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [styled('bold', title, process.stdout), ...lines.map((line) => `  ${line}`), ''];
}

/** Rows with aligned columns. The last column, and those of numbers given by `right`, keep their width. */
export function table(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows.map((row) => {
    const cells = row.map((cell, at) => {
      if (right.includes(at)) return cell.padStart(widths[at] ?? 0);
      return at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0);
    });
    return cells.join('  ').trimEnd();
  });
}

/** Breaks lines that are wider than the terminal; what follows is indented as the line is, and a bit more. */
export function fitted(lines: readonly string[], columns: number | undefined): string[] {
  if (!columns || columns < MIN_WIDTH) return [...lines];
  return lines.flatMap((line) => {
    // Titles are short, and have colours.
    if (line.length <= columns || line.startsWith('\u001b')) return line;
    const indent = ' '.repeat(Math.min(/^[ │├└─]*/.exec(line)?.[0].length ?? 0, columns / 2) + 4);
    const parts: string[] = [];
    let rest = line;
    while (rest.length > columns) {
      const space = rest.lastIndexOf(' ', columns);
      const at = space > columns / 2 && rest.slice(0, space).trim() !== '' ? space : columns;
      parts.push(rest.slice(0, at).trimEnd());
      rest = indent + rest.slice(at).trimStart();
    }
    return [...parts, rest];
  });
}

/**
 * A table with titles; on a terminal that is too narrow for it, a paragraph for each row instead, in which each value
 * follows its title. Cells that have nothing, `-`, are left out there.
 */
export function tableOrParagraphs(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined = process.stdout.columns,
): string {
  const lines = table([titles, ...rows]);
  if (!columns || lines.every((line) => line.length <= columns)) return lines.join('\n');
  const paragraphs = rows.map(([first = '', ...cells]) => {
    const named = cells.flatMap((cell, at) => (cell === '-' ? [] : `${titles[at + 1]} ${cell}`));
    return [first, ...joined(named, columns - 2, '  ').map((line) => `  ${line}`)];
  });
  return paragraphs.flat().join('\n');
}

/** Breaks a line at spaces where the terminal would break it within a word; what follows is indented. */
export function wrapped(line: string, columns: number | undefined): string {
  if (!columns || columns < MIN_WIDTH) return line;
  const [indent = ''] = /^ */.exec(line) ?? [];
  const [first = '', ...rest] = joined(
    line.trimStart().split(' '),
    columns - indent.length - 2,
    ' ',
  );
  return [`${indent}${first}`, ...rest.map((part) => `${indent}  ${part}`)].join('\n');
}

/** Puts as many parts into each line as fit; one that is too long has a line for itself, and is not broken. */
function joined(parts: readonly string[], width: number, separator: string): string[] {
  const lines: string[] = [];
  let used = Infinity;
  for (const part of parts) {
    const length = stripVTControlCharacters(part).length;
    if (used + separator.length + length > width) {
      lines.push(part);
      used = length;
    } else {
      lines[lines.length - 1] += `${separator}${part}`;
      used += separator.length + length;
    }
  }
  return lines;
}

/** A number of things, such as `1 process` or `2 processes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
