import { optionHelp } from '../generated/help.ts';
import type { CriuOpts } from '../index.ts';

/** An option of CRIU that has flags; `preDump` selects the operation. */
export type OptionName = Exclude<keyof CriuOpts, 'preDump'>;

type Help = (typeof optionHelp)[keyof typeof optionHelp];

/** The form of an option's value. */
export type Form = Help['form'];

/** An operation that takes options. */
export type Operation = Help['operations'][number];

export interface OptionHelp {
  /** What the option does, as Markdown. */
  readonly summary: string;
  readonly form: Form;
  /** The values that the library accepts, in words. */
  readonly takes: string;
  readonly operations: readonly Operation[];
}

export const criuOptions: Readonly<Record<OptionName, OptionHelp>> = optionHelp;
export const optionNames = Object.keys(criuOptions) as readonly OptionName[];

/** True if a word is the name of an option. */
export function isOptionName(word: string): word is OptionName {
  return Object.hasOwn(criuOptions, word);
}

/** The flag of an option: `--tcp-established` for `tcpEstablished`. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The summary of an option as plain text, with flags in place of names. */
export function helpOf(name: OptionName): string {
  return criuOptions[name].summary
    .replace("`{ memory: '/path' }`", 'memory=/path')
    .replace("`{ 'pipe:[123]': fd }`", 'pipe:[123]=5')
    .replace("`['network']`", 'network')
    .replace(/`(\w+)`/g, (quoted, word) => (isOptionName(word) ? flagOf(word) : quoted))
    .replace(/[`*]/g, '')
    .replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}
