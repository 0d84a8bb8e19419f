/** The most characters of a peer's text that are kept. */
const MAX_LENGTH = 1000;
/** Control characters, line separators, and characters that change the direction of the text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A text from the other host, as it may be shown, logged and kept: cut to a maximum length, with the
 * characters escaped that a terminal or a log would interpret.
 */
export function peerText(text: string, maxLength = MAX_LENGTH): string {
  const kept = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return kept.replace(
    UNPRINTABLE,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}
