/**
 * The nginx image: the installed nginx, so that the one in the container is the one by which the
 * balancer checks its file. With the image go all containers that were made of it.
 */
import { docker } from '../container-etcd/docker.ts';
import { makeInstalledImage } from '../container-etcd/installed-image.ts';
import { nginxProgram } from '../parts/nginx.ts';

const CALLED_WITHIN_MS = 20_000;

interface Image extends AsyncDisposable {
  readonly name: string;
}

export async function makeNginxImage(host: string): Promise<Image> {
  const call = { host, withinMs: CALLED_WITHIN_MS };
  // Of this run alone: what another run made of its own stays.
  const name = `rollcall-test/nginx:${process.pid}-${Date.now()}`;
  await makeInstalledImage(host, {
    ...{ name, from: nginxProgram(), to: '/usr/sbin/nginx' },
    // Workers leave root for an account that nginx looks up.
    also: ['/etc/passwd', '/etc/group'],
    changes: ['ENV PATH=/usr/sbin', 'ENTRYPOINT ["nginx"]'],
  });
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      const left = await docker(call, 'ps', '--all', '--quiet', '--filter', `ancestor=${name}`);
      const ids = left.split('\n').filter(Boolean);
      if (ids.length > 0) await docker(call, 'rm', '--force', '--volumes', ...ids);
      await docker(call, 'image', 'rm', '--force', name);
    },
  };
}
