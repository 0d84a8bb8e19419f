import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { FleetOperator } from '../fleet.ts';
import { addJson } from './flags.ts';
import { wrong } from './fleet-connection.ts';
import { addHelp } from './help.ts';
import { withOutput } from './verb.ts';

const PUBLIC = '.pub';
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

const keygenExamples = `
  $ node-criu fleet keygen ada
  ada.key
  ada.pub`;

/** Adds the verb `fleet keygen`. */
export function addKeygen(fleet: Command): void {
  const command = addHelp(fleet.command('keygen'), keygenExamples)
    .summary('make the key of an operator')
    .description(
      'Make the key of an operator: NAME.key, with which he signs his orders, and NAME.pub, which goes to the directory ' +
        'of operators of each host. Both are Ed25519 in PEM. Existing files are not overwritten.',
    )
    .argument('<name>', 'the name of the operator')
    .option('-D, --directory <dir>', 'where to write the files', '.');
  addJson(command).action(
    async (name: string, { directory, json = false }: { directory: string; json?: boolean }) => {
      if (!NAME.test(name)) throw wrong(`${JSON.stringify(name)} is no name of an operator`);
      await withOutput({ json }, async (output) => {
        const { publicKey, privateKey } = generateKeyPairSync('ed25519');
        const [key, pub] = [join(directory, `${name}.key`), join(directory, `${name}${PUBLIC}`)];
        await create(key, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600);
        try {
          await create(pub, String(publicKey.export({ type: 'spki', format: 'pem' })), 0o644);
        } catch (error) {
          await rm(key);
          throw error;
        }
        output.result({ key, publicKey: pub }, `${key}\n${pub}`);
      });
    },
  );
}

async function create(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw wrong(code === 'EEXIST' ? `${file} exists already` : message);
  }
}

/**
 * Reads operators: a file NAME.pub, or a directory of such files, and after a colon what they may order.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function readOperators(all: readonly string[]): Promise<FleetOperator[]> {
  const found = (await Promise.all(all.map(operatorsAt))).flat();
  const names = found.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw wrong(`--operators: there are two keys of ${twice}`);
  return found;
}

async function operatorsAt(given: string): Promise<FleetOperator[]> {
  const [, path = given, list] = /^(.+):([a-z,]+)$/.exec(given) ?? [];
  // The library checks the permissions.
  const may =
    list === undefined ? 'all' : (list.split(',') as Exclude<FleetOperator['may'], 'all'>);
  try {
    const isDirectory = (await stat(path)).isDirectory();
    const entries = isDirectory ? await readdir(path) : [];
    const files = isDirectory
      ? entries.filter((name) => name.endsWith(PUBLIC)).map((name) => join(path, name))
      : [path];
    if (files.length === 0) throw wrong(`--operators: ${path} has no file NAME${PUBLIC}`);
    return await Promise.all(
      files.sort().map(async (file) => ({
        ...{ name: basename(file, PUBLIC), publicKey: await readFile(file, 'utf8') },
        ...(may && { may }),
      })),
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith('ERR_CRIU_') ? error : wrong(`--operators: ${message}`);
  }
}
