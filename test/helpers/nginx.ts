import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bundle } from './runc.ts';

/** A bundle with nginx and two workers, which answers "served" in a network of its own. */
export async function nginxBundle(): Promise<Bundle> {
  const bundle = await Bundle.make(['/usr/sbin/nginx', '-c', '/etc/nginx.conf']);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((each) => `${each}_temp_path /tmp/${each};`).join(' ');
  const config = `daemon off; user root; worker_processes 2; pid /run/nginx.pid; error_log /dev/null;
    events {} http { access_log off; ${paths}
    server { listen 127.0.0.1:80; location / { return 200 "served\\n"; } } }`;
  await writeFile(join(bundle.rootfs, 'etc/nginx.conf'), config);
  await writeFile(join(bundle.rootfs, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n');
  await writeFile(join(bundle.rootfs, 'etc/group'), 'root:x:0:\n');
  await bundle.bindHost();
  return bundle;
}
