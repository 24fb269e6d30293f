/** Builds the images of this checkout on the bases that it is given. */
import { existsSync } from 'node:fs';
import { step } from '../setup/step.mjs';
import type { BuildClient } from './client.ts';
import { built, type PublicImage } from './images.ts';

export async function buildImages(
  { program, env }: BuildClient,
  bases: Readonly<Record<PublicImage, string>>,
): Promise<void> {
  const ca = process.env['NODE_EXTRA_CA_CERTS'];
  for (const [target, name] of Object.entries(built)) {
    await step(
      `building ${name}`,
      program,
      [
        ...['build', '--file', 'docker/Dockerfile', '--target', target, '--tag', name],
        // An engine that leaves the packet filter alone gives its containers no way out.
        ...['--network', 'host'],
        ...['--build-arg', `NODE_IMAGE=${bases.node}`, '--build-arg', `NGINX_IMAGE=${bases.nginx}`],
        ...(ca && existsSync(ca) ? ['--secret', `id=ca,src=${ca}`] : []),
        '.',
      ],
      env,
    );
  }
}
