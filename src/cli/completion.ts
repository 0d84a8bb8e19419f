import { Argument, type Command } from 'commander';
import { addHelp } from './help.ts';
import { quoted } from './shell-command.ts';

const description = [
  'Print a script that completes the commands, options and files of node-criu in a shell.',
  'The script lists what this version offers: after an update, print it again.',
].join('\n\n');

const examples = `
  $ source <(node-criu completion bash)      # in ~/.bashrc
  $ source <(node-criu completion zsh)       # in ~/.zshrc, after compinit
  $ node-criu completion fish > node-criu.fish  # in ~/.config/fish/completions`;

/** Adds the verb `completion`. */
export function addCompletion(program: Command): void {
  addHelp(program.command('completion'), examples)
    .summary('print a completion script for bash, zsh or fish')
    .description(description)
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => {
      process.stdout.write(scripts[shell](wordsOf(program)));
    });
}

/** What can follow a command. */
interface Words {
  /** The names of the command and of those above it, without `node-criu`. */
  readonly path: string;
  /** Subcommands, or the values of an argument. */
  readonly commands: readonly Word[];
  readonly flags: readonly Word[];
}

interface Word {
  readonly name: string;
  readonly text: string;
  readonly takesValue?: boolean;
}

/** The words of a command and of its subcommands. */
function wordsOf(command: Command, path = ''): readonly Words[] {
  const helper = command.createHelp();
  const commands = helper
    .visibleCommands(command)
    .map((each) => ({ name: each.name(), text: helper.subcommandDescription(each) }));
  const flags = command.options.flatMap(({ long, negate, description, required }) =>
    long && !negate ? [{ name: long, text: description, takesValue: required }] : [],
  );
  const help = { name: '--help', text: 'print the help' };
  const values = command.registeredArguments
    .flatMap(({ argChoices = [] }) => argChoices)
    .map((name) => ({ name, text: '' }));
  const below = command.commands.flatMap((each) =>
    wordsOf(each, path === '' ? each.name() : `${path} ${each.name()}`),
  );
  return [{ path, commands: [...commands, ...values], flags: [...flags, help] }, ...below];
}

const scripts = { bash, zsh, fish } as const;

function bash(all: readonly Words[]): string {
  const names = (words: readonly Word[]) => words.map(({ name }) => name).join(' ');
  const cases = all.map(
    ({ path, commands, flags }) =>
      `    '${path}') words='${names(commands)}' flags='${names(flags)}' ;;`,
  );
  return `# bash completion of node-criu
_node_criu() {
  local current=\${COMP_WORDS[COMP_CWORD]} verb='' words flags word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -- ]] && return
    [[ '${pathList(all)}' == *"|$verb\${verb:+ }$word|"* ]] && verb+=\${verb:+ }$word
  done
  case $verb in
${cases.join('\n')}
  esac
  [[ $current == -* ]] && words=$flags
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _node_criu node-criu
`;
}

function zsh(all: readonly Words[]): string {
  const list = (words: readonly Word[]) =>
    words.map(({ name, text }) => quoted(`${name}:${text}`)).join(' ');
  const cases = all.map(
    ({ path, commands, flags }) =>
      `    '${path}') words_=(${list(commands)}) flags=(${list(flags)}) ;;`,
  );
  return `#compdef node-criu
_node-criu() {
  local verb='' word
  local -a words_ flags
  for word in \${words[2,CURRENT-1]}; do
    [[ $word == -- ]] && { _files; return }
    [[ '${pathList(all)}' == *"|$verb\${verb:+ }$word|"* ]] && verb+=\${verb:+ }$word
  done
  case $verb in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags
  elif (( $#words_ )); then
    _describe command words_
  else
    _files
  fi
}
if [[ $funcstack[1] == _node-criu ]]; then _node-criu "$@"; else compdef _node-criu node-criu; fi
`;
}

function fish(all: readonly Words[]): string {
  const lines = all.flatMap(({ path, commands, flags }) => {
    const seen = path.split(' ').filter(Boolean);
    const conditions = [
      ...seen.map((name) => `__fish_seen_subcommand_from ${name}`),
      ...commands.map(({ name }) => `not __fish_seen_subcommand_from ${name}`),
    ];
    const start = `complete -c node-criu -n ${quoted(conditions.join('; and '))}`;
    return [
      ...commands.map(({ name, text }) => `${start} -f -a ${name} -d ${quoted(text)}`),
      ...flags.map(({ name, text, takesValue }) => {
        return `${start} -l ${name.slice(2)}${takesValue ? ' -r' : ''} -d ${quoted(text)}`;
      }),
    ];
  });
  return `# fish completion of node-criu\n${lines.join('\n')}\n`;
}

/** The commands between bars, for a search. */
function pathList(all: readonly Words[]): string {
  return `|${all.map(({ path }) => path).join('|')}|`;
}
