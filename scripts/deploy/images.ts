/**
 * The images of the deployment and their names, for those that start the tests and for the tests.
 *
 * ROLLCALL_TEST_IMAGES holds them as JSON while the tests run:
 * `{"watchdog": NAME, "balancer": NAME, "nginx": NAME, "httpd": NAME, "etcd": NAME, "prometheus": NAME}`.
 * The first two are built of this checkout. Each other is the public image where it is present or
 * can be pulled, else one made of the installed program, with the same paths in it.
 */
import { defaultEtcdImage } from '../container-etcd/default-image.ts';

export const publicImages = {
  node: 'node:24-bookworm-slim',
  nginx: 'nginx:1.28-bookworm',
  httpd: 'httpd:2.4',
  etcd: defaultEtcdImage,
  prometheus: 'prom/prometheus:v3.5.0',
} as const;

export type PublicImage = keyof typeof publicImages;
export const publicNames = Object.keys(publicImages) as readonly PublicImage[];

export const built = {
  watchdog: 'rollcall/watchdog:0.1.0',
  balancer: 'rollcall/balancer:0.1.0',
} as const;

export type Images = Readonly<Record<Exclude<PublicImage, 'node'> | keyof typeof built, string>>;

/** Of the test run that this is part of. */
export function imagesOfRun(): Images {
  const text = process.env['ROLLCALL_TEST_IMAGES'];
  if (!text) throw new Error('no images: run these by npm run test:deploy');
  return JSON.parse(text) as Images;
}
