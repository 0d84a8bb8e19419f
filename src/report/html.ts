/** Control characters, line separators, characters that change the direction of the text, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup, which goes into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: text is escaped; nothing is left out. */
export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/** A template of markup. All of its values may be hostile; those in attributes must be in double quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = strings.map((text, index) => text + textOf(values[index]));
  return new Html(parts.join(''));
}

function textOf(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? escaped(value) : value.map(textOf).join('');
}

/** Text as markup. Characters that are not visible become visible, as in the output of the command. */
function escaped(text: string): string {
  return text
    .replace(UNPRINTABLE, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code < 0x100
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u{${code.toString(16)}}`;
    })
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** Text of at most so many characters. */
export function clipped(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
