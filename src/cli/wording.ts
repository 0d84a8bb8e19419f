import { flagOf, isOptionName } from './option-names.ts';

/** Words of the library's texts that are not the names of options with flags. */
const words: Readonly<Record<string, string>> = {
  spawnCheckpointable: 'node-criu run',
  preDump: '--pre-dump',
  lazyRestore: 'node-criu lazy-restore',
  resolveMigration: 'node-criu resolve',
  destinationIsDead: '--destination-is-dead',
  copyHasFinished: '--copy-has-finished',
};

/** Replaces what a text of the library says about its API with flags and commands. */
export function withFlags(text: string): string {
  return text
    .replace(/\bcall (resolveMigration) again\b/, 'run $1 again')
    .replace(', or take a new one with hooks.orphanPtsMaster', '')
    .replace(/\binheritFd\['([^']+)'\]/g, "--inherit-fd '$1=FD'")
    .replace(/\b(a)dd (\S+) to external\b/gi, (_, a, id) => `${give(a)} --external '${id}'`)
    .replace(/\bset the option path\b/, 'give --criu')
    .replace(/\bby the option path or by CRIU_PATH\b/, 'with --criu or CRIU_PATH')
    .replace(/\b(s)et (force|insecure|overwrite|unprivileged)(: true)?\b/gi, (_, s, name) => {
      return `${give(s)} ${flagOf(name)}`;
    })
    .replace(/\b[a-z]+[A-Z]\w*/g, (word) => {
      return words[word] ?? (isOptionName(word) ? flagOf(word) : word);
    })
    .replace(/\b(s)et (--\S+) for\b/gi, (_, s, flag) => `${give(s)} ${flag} to`)
    .replace(/ \[option (--\S+)\]/g, (note, flag, at, whole) => {
      return whole.slice(0, at).includes(flag) ? '' : note;
    });
}

const give = (letter: string) => (letter === letter.toUpperCase() ? 'Give' : 'give');
