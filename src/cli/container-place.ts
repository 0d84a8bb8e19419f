import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ContainerLinks } from '../containers.ts';
import { CriuError } from '../index.ts';
import { RARE } from './help.ts';

/** Flags that say where containers go on this host. */
export interface ContainerPlaceFlags {
  readonly containers?: string;
  readonly containerLink?: ContainerLinks;
  readonly stateRoot?: string;
}

/** Adds the flags. @param help of --containers */
export function addContainerPlace(command: Command, help: string): Command {
  return command
    .addOption(new Option('--containers <directory>', help).helpGroup(RARE))
    .addOption(containerLinkFlag())
    .addOption(
      new Option(
        '--state-root <directory>',
        'with --containers: the state directory of runc, its --root',
      ).helpGroup(RARE),
    );
}

/** `--container-link`, which can be repeated. */
export function containerLinkFlag(): Option {
  return new Option(
    '--container-link <device>',
    'what a network device of a container joins: eth0=bridge:br0 or eth0=parent:enp3s0 (may be repeated)',
  )
    .argParser(containerLink)
    .helpGroup(RARE);
}

function containerLink(text: string, others: ContainerLinks = {}): ContainerLinks {
  const [, device, kind, name] = /^([^=\s]+)=(bridge|parent):(\S+)$/.exec(text) ?? [];
  if (device === undefined || name === undefined) {
    throw new InvalidArgumentError('Give a device and what it joins, such as eth0=bridge:br0.');
  }
  return { ...others, [device]: kind === 'bridge' ? { bridge: name } : { parent: name } };
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the others come without --containers */
export function checkContainerPlace(given: ContainerPlaceFlags): void {
  const { containers, containerLink: link, stateRoot } = given;
  if (containers !== undefined || (link ?? stateRoot) === undefined) return;
  const message = '--container-link and --state-root need --containers';
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message);
}
