import { InvalidArgumentError } from 'commander';

type Labels = Readonly<Record<string, string>>;

/** Parses a label, `NAME=VALUE`; the flag can be repeated. */
export function label(text: string, previous: Labels = {}): Labels {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('Give a label such as zone=a.');
  }
  return { ...previous, [name]: value };
}

/** Parses a part, such as `0.1` or `10%`. */
export function part(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Give a part such as 0.1 or 10%.');
  return percent === '' ? Number(number) : Number(number) / 100;
}

/** Parses a positive integer. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a positive integer.');
  return Number(text);
}

/** Parses numeric ids of a user and a group, `1000:1000`. */
export function numericIds(text: string): { readonly uid: number; readonly gid: number } {
  const [, uid, gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (uid === undefined) {
    throw new InvalidArgumentError('Give numbers, such as 1000:1000: names differ between hosts.');
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** Labels as text: `app=web,zone=a`. */
export function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.join(',') || '-';
}
