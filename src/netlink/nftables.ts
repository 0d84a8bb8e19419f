import {
  encodeAttribute,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  parseAttributes,
} from './message.ts';
import { NetlinkError, NetlinkSocket } from './socket.ts';

// linux/netlink.h, linux/netfilter/nfnetlink.h and linux/netfilter/nf_tables.h.
const NETLINK_NETFILTER = 12;
const SUBSYSTEM_NFTABLES = 10;
const GET_TABLE = (SUBSYSTEM_NFTABLES << 8) | 1;
const DELETE_TABLE = (SUBSYSTEM_NFTABLES << 8) | 2;
const BATCH_BEGIN = 16;
const BATCH_END = 17;
const FAMILY_INET = 1;
const TABLE_NAME = 1;
/** Size of struct nfgenmsg, in bytes. */
const SUBHEADER_SIZE = 4;
const ENOENT = 2;

/**
 * Deletes the table `inet NAME`, if there is one. It does not run the program nft, which need not be
 * installed: CRIU itself uses a library.
 * @param netns a descriptor of the network namespace, or -1 for the namespace of this process
 * @throws NetlinkError, or the system error of socket(2) or setns(2)
 */
export async function deleteTable(netns: number, name: string): Promise<void> {
  const batch = Buffer.concat([
    encodeMessage(BATCH_BEGIN, NLM_F_REQUEST, subheader(0, SUBSYSTEM_NFTABLES)),
    encodeMessage(
      DELETE_TABLE,
      NLM_F_REQUEST | NLM_F_ACK,
      subheader(FAMILY_INET, 0),
      encodeAttribute(TABLE_NAME, name),
    ),
    encodeMessage(BATCH_END, NLM_F_REQUEST, subheader(0, SUBSYSTEM_NFTABLES)),
  ]);
  using socket = openSocket(netns);
  try {
    await socket.execute(batch);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === ENOENT)) throw error;
  }
}

/**
 * Lists the names of the tables `inet …`; none if the kernel has no nftables.
 * @param netns a descriptor of the network namespace, or -1 for the namespace of this process
 */
export async function tablesIn(netns: number): Promise<string[]> {
  const names: string[] = [];
  using socket = openSocket(netns);
  try {
    const request = encodeMessage(GET_TABLE, NLM_F_REQUEST | NLM_F_DUMP, subheader(FAMILY_INET, 0));
    for await (const body of socket.dump(request)) {
      for (const [type, value] of parseAttributes(body.subarray(SUBHEADER_SIZE))) {
        if (type === TABLE_NAME) names.push(value.toString('utf8', 0, value.length - 1));
      }
    }
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
  return names;
}

function openSocket(netns: number): NetlinkSocket {
  return new NetlinkSocket('nftables', NETLINK_NETFILTER, netns);
}

/** struct nfgenmsg */
function subheader(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 255]);
}
