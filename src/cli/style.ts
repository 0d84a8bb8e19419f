import { styleText } from 'node:util';

// Node 20 does not look at the stream for an array of formats.
type Format = Exclude<Parameters<typeof styleText>[0], unknown[]>;

/**
 * A text in colour, if the stream is a terminal and NO_COLOR is not set. Without a stream, always: commander
 * removes the colours from its help where the output takes none.
 */
export function styled(format: Format, text: string, stream?: NodeJS.WritableStream): string {
  return styleText(format, text, stream ? { stream } : { validateStream: false });
}

/**
 * The title of an error or a finding. In bold, because red alone is dark on black. No yellow and no cyan, which cannot be
 * read on white, and no blue, which cannot be read on black.
 */
export function titled(
  severity: 'error' | 'warning' | 'info',
  text: string,
  stream: NodeJS.WritableStream,
): string {
  const colour = { error: 'red', warning: 'magenta', info: undefined } as const;
  const format = colour[severity];
  return styled('bold', format ? styled(format, text, stream) : text, stream);
}
