import { type Command, type Help, Option } from 'commander';
import { exitCodesHelp } from './exit-code.ts';
import { styled } from './style.ts';

/** The heading of the options of node-criu that only `--help-all` lists. */
export const RARE = 'Other options:';

const MIN_TEXT_WIDTH = 30;
const helpAll = '--help-all';
const allExamples = new WeakMap<Command, string>();

/**
 * Gives a command its help: examples, then the options without a group. `--help-all` also prints the
 * groups of options, the further paragraphs of the description, and the exit codes.
 */
export function addHelp(command: Command, examples: string): Command {
  allExamples.set(command, examples.replace(/^\n/, ''));
  return command
    .helpOption('-h, --help', 'print this help')
    .addOption(new Option(helpAll, 'print all options and the exit codes').hideHelp())
    .on(`option:${helpAll.slice(2)}`, () =>
      command
        .configureHelp({ ...shortHelp, ...fullHelp })
        .addHelpText('after', exitCodesHelp)
        .help(),
    )
    .configureHelp(shortHelp)
    .showHelpAfterError(`Try: ${pathOf(command)} --help`);
}

const shortHelp: Partial<Help> = {
  formatHelp,
  // Below 40 columns, commander does not wrap.
  minWidthToWrap: 20,
  formatItem,
  // No colours: cyan, for example, cannot be read on white.
  styleTitle: (text) => styled('bold', styled('underline', text)),
  styleOptionTerm: (text) => styled('bold', text),
  styleSubcommandTerm: (text) => styled('bold', text),
  subcommandTerm: (command) => command.name(),
  commandDescription: (command) => command.description().split('\n\n', 1).join(),
  visibleOptions: (command) => [
    ...command.options.filter(({ hidden, helpGroupHeading }) => !hidden && !helpGroupHeading),
    ...command.options.filter(({ long }) => long === helpAll),
  ],
};

const fullHelp: Partial<Help> = {
  commandDescription: (command) => command.description(),
  visibleOptions: ({ options }) => options.filter(({ hidden }) => !hidden),
};

function formatHelp(command: Command, helper: Help): string {
  const termWidth = helper.padWidth(command, helper);
  const width = helper.helpWidth ?? 80;
  const item = (term: string, text: string) => helper.formatItem(term, termWidth, text, helper);
  const list = (heading: string, items: string[]) => helper.formatItemList(heading, items, helper);
  const commands = helper
    .visibleCommands(command)
    .map((each) =>
      item(
        helper.styleSubcommandTerm(helper.subcommandTerm(each)),
        helper.subcommandDescription(each),
      ),
    );
  const named = helper
    .visibleArguments(command)
    .map((each) => item(helper.argumentTerm(each), helper.argumentDescription(each)));
  const groups = helper.groupItems(
    [...command.options],
    helper.visibleOptions(command),
    (option) => option.helpGroupHeading ?? 'Options:',
  );
  const options = [...groups].flatMap(([heading, members]) =>
    list(
      heading,
      members.map((each) =>
        item(helper.styleOptionTerm(helper.optionTerm(each)), helper.optionDescription(each)),
      ),
    ),
  );
  const examples = allExamples.get(command) ?? '';
  const lines = examples === '' ? [] : examples.split('\n');
  return [
    `${helper.styleTitle('Usage:')} ${helper.commandUsage(command)}`,
    '',
    helper.boxWrap(helper.commandDescription(command), width),
    '',
    ...list('Examples:', lines),
    ...list('Commands:', commands),
    ...list('Arguments:', named),
    ...options,
  ].join('\n');
}

/** A term and its text: side by side, or one below the other where that would be too narrow. */
function formatItem(term: string, termWidth: number, text: string, helper: Help): string {
  const textWidth = (helper.helpWidth ?? 80) - termWidth - 4;
  const [gap, width] =
    textWidth < MIN_TEXT_WIDTH
      ? ['\n      ', (helper.helpWidth ?? 80) - 6]
      : [' '.repeat(termWidth - helper.displayWidth(term) + 2), textWidth];
  const indent = ' '.repeat(gap.startsWith('\n') ? 6 : termWidth + 4);
  const wrapped = helper.boxWrap(text, width).replaceAll('\n', `\n${indent}`);
  return `  ${term}${gap}${wrapped}`;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
