// The configuration of a podman with storage and state of its own.
//
// @ts-check

/**
 * The text of a containers.conf.
 * @param {string} directory where its networks are
 */
export function podmanConfiguration(directory) {
  return `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
# Those in shared memory are for all that share /dev/shm, and each new podman frees all of them.
lock_type = "file"
[network]
network_config_dir = "${directory}/networks"
`;
}
