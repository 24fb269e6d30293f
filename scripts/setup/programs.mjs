/**
 * The programs that the demo and the tests run, and what Debian calls the packages they are in.
 *
 * `apache2-bin` rather than `apache2`: the program and its modules, without a service or a site.
 */

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {readonly string[]} commands any one of them will do
 * @property {string} debian the package on Debian and Ubuntu
 * @property {string} [service] the service that the package sets up
 * @property {boolean} [forTests] what `npm start` can do without
 */

/** @type {readonly Program[]} */
export const programs = [
  { name: 'etcd', commands: ['etcd'], debian: 'etcd-server', service: 'etcd' },
  { name: 'etcdctl', commands: ['etcdctl'], debian: 'etcd-client' },
  { name: 'nginx', commands: ['nginx'], debian: 'nginx', service: 'nginx' },
  { name: 'apache', commands: ['apache2', 'httpd'], debian: 'apache2-bin' },
  // With the whole server: Debian has the checker of metrics in no package of its own.
  {
    name: 'promtool',
    commands: ['promtool'],
    debian: 'prometheus',
    service: 'prometheus',
    forTests: true,
  },
  { name: 'openssl', commands: ['openssl'], debian: 'openssl', forTests: true },
  { name: 'ps', commands: ['ps'], debian: 'procps' },
];

/** Servers live in sbin, which is not on everybody's PATH. */
export const serverDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * @param {readonly Program[]} missing
 * @returns {string}
 */
export function howToInstall(missing) {
  const names = missing.map(({ name }) => name).join(', ');
  const packages = missing.map(({ debian }) => debian).join(' ');
  return [
    `Not installed: ${names}. One of these will do:`,
    `  Debian, Ubuntu:  sudo apt-get install --no-install-recommends ${packages}`,
    '  Fedora:          sudo dnf install etcd nginx httpd golang-github-prometheus',
    '  macOS:           brew install etcd nginx prometheus  (apache is part of the system)',
    '  anywhere else:   start a Docker engine, and run this again: it then runs in a container',
  ].join('\n');
}
