import { execa } from 'execa';

/** Lists what CRIU may have left in a network namespace: iptables rules, and nftables tables with its name. */
export async function rulesIn(namespace: string): Promise<string[]> {
  const script = 'iptables-save; ip6tables-save; nft list tables';
  const { stdout } = await execa('nsenter', [`--net=${namespace}`, 'sh', '-c', script]);
  return stdout.split('\n').filter((line) => /^-A|^:CRIU|^table .*CRIU/.test(line));
}
