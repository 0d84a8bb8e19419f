import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** A text in colour; commander removes the colour where the output takes none. */
export function styled(format: Format, text: string): string {
  return styleText(format, text, { validateStream: false });
}
