import { isRecord } from '../../options/check.ts';
import { readLinks } from './describe-network.ts';
import { askIp, ip } from './ip-command.ts';

/** Disconnects a container from its network, so that it does not answer for addresses that its copy has. Idempotent. */
export async function disconnectLinks(pid: number): Promise<void> {
  await switchLinks(pid, 'down', 'off');
}

/** Connects the container again. Idempotent. */
export async function reconnectLinks(pid: number): Promise<void> {
  await switchLinks(pid, 'up', 'on');
}

/**
 * Switches the outer ends of veths. A device without one, or one that is not in this network namespace, only stops to
 * answer who asks for its addresses: if it was switched itself it would lose its routes.
 */
async function switchLinks(pid: number, outer: 'up' | 'down', arp: 'on' | 'off'): Promise<void> {
  const links = (await readLinks(pid)).filter(({ kind }) => kind !== 'loopback');
  if (links.length === 0) return;
  const here = (await askIp('link show')).filter(isRecord);
  const outside: string[] = [];
  const inside: string[] = [];
  for (const { name, kind, index, linkedTo } of links) {
    const end = here.find(
      ({ ifindex, link_index }) => ifindex === linkedTo && link_index === index,
    );
    if (kind === 'veth' && end) outside.push(`link set dev ${end.ifname} ${outer}`);
    else inside.push(`link set dev ${name} arp ${arp}`);
  }
  if (outside.length > 0) await ip(outside);
  if (inside.length > 0) await ip(inside, { pid });
}
