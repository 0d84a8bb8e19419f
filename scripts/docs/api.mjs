// Compares the public API of each entry with its report in docs/. With --local, writes the reports instead.
// One process and one compilation serve all entries, because they take most of the time.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const localBuild = process.argv.includes('--local');
const directory = import.meta.dirname;
const configs = readdirSync(directory)
  .filter((name) => /^api-extractor.*\.json$/.test(name))
  .sort((a, b) => a.length - b.length)
  .map((name) => ExtractorConfig.loadFileAndPrepare(join(directory, name)));
const additionalEntryPoints = configs.map((config) => config.mainEntryPointFilePath);
const compilerState = CompilerState.create(configs[0], { additionalEntryPoints });

for (const config of configs) {
  const { succeeded } = Extractor.invoke(config, { localBuild, compilerState });
  if (succeeded) continue;
  console.error(`${config.reportFilePath} differs from the API, or the API is not documented`);
  process.exitCode = 1;
}
