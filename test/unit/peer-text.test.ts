import { expect, test } from 'vitest';
import { peerText } from '../../src/migration/protocol/peer-text.ts';

test.each([
  ['The pids 1, 2 are in use.', 'The pids 1, 2 are in use.'],
  ['über 50 µs – «naïve» 日本', 'über 50 µs – «naïve» 日本'],
  ['a\nforged line\r', 'a\\u{a}forged line\\u{d}'],
  ['\u001b]0;title\u0007\u009b31m', '\\u{1b}]0;title\\u{7}\\u{9b}31m'],
  ['\u202egnp.exe\u2028', '\\u{202e}gnp.exe\\u{2028}'],
])('the text %j of a peer is shown as %j', (text, shown) => {
  expect(peerText(text)).toBe(shown);
});

test('a long text of a peer is cut', () => {
  expect(peerText('x'.repeat(3_000_000))).toBe(`${'x'.repeat(1000)}…`);
  expect(peerText('program', 4)).toBe('prog…');
});
