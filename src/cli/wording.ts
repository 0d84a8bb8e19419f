import { flagOf, isOptionName } from './option-names.ts';

/** Words of the library's texts that are not the names of options with flags. */
const words: Readonly<Record<string, string>> = {
  spawnCheckpointable: 'node-criu run',
  preDump: '--pre-dump',
  lazyRestore: 'node-criu lazy-restore',
  resolveMigration: 'node-criu resolve',
  destinationIsDead: '--destination-is-dead',
  copyHasFinished: '--copy-has-finished',
  switchOver: '--switch-over',
  switchBack: '--switch-back',
};

/** What the library says of values, and how the command line spells them. */
const values: readonly (readonly [RegExp, string])[] = [
  // Objects and functions, which nobody has typed.
  [/, not (\[ \{.*\} \]|\{.*\}|\[Function.*\])$/, ''],
  [/\btakes an array of (.*), not \[ (.*) \]$/, 'takes $1, not $2'],
  [/\btakes an array of /, 'takes '],
  [/\btakes nothing: addresses moves them/, 'takes nothing: --address moves them'],
  [/'ADDRESS\/PREFIX' or \{ .* \}, the/, 'ADDRESS/PREFIX or ADDRESS/PREFIX@DEVICE, the'],
  [/\bgive \{ address, device \}/, 'give ADDRESS/PREFIX@DEVICE'],
  [/ allowAddresses( of serveMigrations\(\)|: \[\{ address, device \}\]), or/, ''],
  [/ or \{ fd: a connected socket's descriptor \}/, ' or fd:DESCRIPTOR'],
  [/\{ address\?: string, port\?: 0 to 65535 \}/, 'ADDRESS:PORT'],
  [/\{ containerInterfaceName, hostInterfaceName \}/, 'INSIDE=OUTSIDE'],
  [/\{ ns: (.*), nsFile: .* \}/, 'KIND:FILE-OR-PID[,MORE], where KIND is $1'],
  [/\ba record of open descriptors: .* or Sockets/, 'NAME=DESCRIPTOR, the number of an open one'],
  [/\ban open descriptor: a number, .* or a Socket/, 'the number of an open descriptor'],
  [/\ba path or an open descriptor/, 'a path'],
  [/\bleave out the option encryption/, 'leave out --key-file and --passphrase-file'],
  [/\bgive the option encryption with its key/, 'give --key-file or --passphrase-file'],
  [/ use lazyDump, which checks that, or/, ''],
  [/\bstate directory of its runtime by root\b/, 'state directory of its runtime by --state-root'],
  [/\bset runtime: false\b/, 'give --no-runtime'],
  [/\bneeds tls\b/, 'needs TLS (--tls-cert, --tls-key)'],
];

/** Replaces what a text of the library says about its API with flags and commands. */
export function withFlags(text: string): string {
  return values
    .reduce((said, [pattern, instead]) => said.replace(pattern, instead), text)
    .replace(/\bcall (resolveMigration) again\b/, 'run $1 again')
    .replace(', or take a new one with hooks.orphanPtsMaster', '')
    .replace(/\binheritFd\['([^']+)'\]/g, "--inherit-fd '$1=FD'")
    .replace(/\b(a)dd (\S+) to external\b/gi, (_, a, id) => `${give(a)} --external '${id}'`)
    .replace(/\bset the option path\b/, 'give --criu')
    .replace(/\bby the option path or by CRIU_PATH\b/, 'with --criu or CRIU_PATH')
    .replace(/\b(s)et (force|insecure|overwrite|unprivileged)(: true)?\b/gi, (_, s, name) => {
      return `${give(s)} ${flagOf(name)}`;
    })
    .replace(/(?<!\[)\b(?:the )?option (\w+)/g, (whole, name) => {
      return isOptionName(name) ? flagOf(name) : whole;
    })
    .replace(/\b[a-z]+[A-Z]\w*/g, (word) => {
      return words[word] ?? (isOptionName(word) ? flagOf(word) : word);
    })
    .replace(/\b(s)et (--\S+): '([^']*)'/gi, (_, s, flag, value) => `${give(s)} ${flag} ${value}`)
    .replace(/(--[\w-]+): true\b/g, '$1')
    .replace(/\b(s)et (--\S+) for\b/gi, (_, s, flag) => `${give(s)} ${flag} to`)
    .replace(/ \[option (--\S+)\]/g, (note, flag, at, whole) => {
      return whole.slice(0, at).includes(flag) ? '' : note;
    });
}

const give = (letter: string) => (letter === letter.toUpperCase() ? 'Give' : 'give');
