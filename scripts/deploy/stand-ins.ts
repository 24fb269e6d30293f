/**
 * What takes the place of each public image where it cannot be had, with the paths, the account and
 * the command of the public one. All but Node are the installed programs.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findProgram } from '../parts/find-program.ts';
import type { PublicImage } from './images.ts';
import type { MadeImage } from './made-image.ts';

type StandIn = Omit<MadeImage, 'name'>;
type Copy = readonly [from: string, to: string];

const account = (name: string, id: number) => ({
  '/etc/passwd': `root:x:0:0:root:/root:/bin/sh\n${name}:x:${id}:${id}::/nonexistent:/bin/false\n`,
  '/etc/group': `root:x:0:\n${name}:x:${id}:\n`,
  '/etc/nsswitch.conf': 'hosts: files dns\n',
});

/** A shell, and the few commands that images and health checks call. */
const tools = () => ({
  copies: [
    [findProgram('dash', 'sh'), '/usr/bin/sh'] as const,
    // Looked for when the first thread of a program ends.
    ...loadedLibraries(/\/libgcc_s\.so/),
  ],
  programs: [
    ...[
      'cat',
      'chown',
      'cp',
      'dd',
      'id',
      'ln',
      'ls',
      'mkdir',
      'mkfifo',
      'rm',
      'sleep',
      'touch',
    ].map((name) => installed(name)),
  ],
});

/** In /usr, where an image has what /bin is a link to. */
function installed(name: string): string {
  return findProgram(name).replace(/^\/(s?bin)\//, '/usr/$1/');
}

const httpdModules = [
  ...['mpm_event', 'authz_core', 'authz_host', 'dir', 'mime', 'alias', 'headers', 'reqtimeout'],
  'status',
];

export const standIns: Readonly<Record<PublicImage, () => StandIn>> = {
  node: () => {
    const { copies, programs } = tools();
    // That of npm itself, wherever it is installed.
    const npm = resolve(dirname(realpathSync(findProgram('npm'))), '..');
    return {
      programs: [...programs, installed('env'), installed('uname')],
      copies: [
        ...copies,
        [process.execPath, '/usr/local/bin/node'],
        [npm, '/usr/local/lib/node_modules/npm'],
        // Of the C library, for what npm installs: Debian's image has it whole.
        ...cLibraries(),
      ],
      links: { '/usr/local/bin/npm': '../lib/node_modules/npm/bin/npm-cli.js' },
      texts: account('node', 1000),
      changes: ['CMD ["node"]'],
    };
  },
  nginx: () => {
    const { copies, programs } = tools();
    return {
      programs: [...programs, installed('nginx'), installed('curl')],
      copies: [
        ...copies,
        ['/etc/nginx/mime.types', '/etc/nginx/mime.types'],
        ['/etc/nginx/fastcgi_params', '/etc/nginx/fastcgi_params'],
        // Debian's image has them: the Node of the balancer links against them.
        ...loadedLibraries(),
      ],
      texts: {
        ...account('nginx', 101),
        '/etc/nginx/nginx.conf': [
          'user nginx;\nworker_processes auto;\nerror_log /var/log/nginx/error.log notice;',
          'pid /run/nginx.pid;\nevents { worker_connections 1024; }\nhttp {',
          '  include /etc/nginx/mime.types;\n  default_type application/octet-stream;',
          '  access_log /var/log/nginx/access.log;\n  include /etc/nginx/conf.d/*.conf;\n}\n',
        ].join('\n'),
        '/etc/nginx/conf.d/default.conf':
          'server { listen 80; location / { root /usr/share/nginx/html; } }\n',
        '/usr/share/nginx/html/index.html': 'Welcome to nginx!\n',
      },
      links: {
        '/var/log/nginx/access.log': '/dev/stdout',
        '/var/log/nginx/error.log': '/dev/stderr',
      },
      directories: ['/var/cache/nginx', '/var/lib/nginx'],
      changes: ['CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80', 'STOPSIGNAL SIGQUIT'],
    };
  },
  httpd: () => {
    const { copies, programs } = tools();
    const modules = '/usr/lib/apache2/modules';
    return {
      programs,
      copies: [
        ...copies,
        [findProgram('apache2', 'httpd'), '/usr/local/apache2/bin/httpd'],
        ...httpdModules.map((name) => {
          const file = `mod_${name}.so`;
          return [`${modules}/${file}`, `/usr/local/apache2/modules/${file}`] as const;
        }),
        ['/etc/mime.types', '/usr/local/apache2/conf/mime.types'],
      ],
      texts: {
        ...account('www-data', 33),
        '/usr/local/apache2/htdocs/index.html': '<html><body><h1>It works!</h1></body></html>\n',
        '/usr/local/apache2/conf/httpd.conf': [
          'ServerRoot "/usr/local/apache2"\nServerName localhost\nListen 80',
          ...httpdModules.map((name) => `LoadModule ${name}_module modules/mod_${name}.so`),
          'PidFile logs/httpd.pid\nDefaultRuntimeDir logs\nUser www-data\nGroup www-data',
          'TypesConfig conf/mime.types\nErrorLog /proc/self/fd/2\nDocumentRoot htdocs',
          '<Directory "/usr/local/apache2/htdocs">\n  Require all granted\n</Directory>\n',
        ].join('\n'),
        '/usr/local/bin/httpd-foreground': [
          '#!/bin/sh\nset -e\nrm -f /usr/local/apache2/logs/httpd.pid',
          'exec httpd -d /usr/local/apache2 -f conf/httpd.conf -DFOREGROUND "$@"\n',
        ].join('\n'),
      },
      executable: ['/usr/local/bin/httpd-foreground'],
      directories: ['/usr/local/apache2/logs'],
      links: { '/usr/local/bin/httpd': '../apache2/bin/httpd' },
      changes: [
        'WORKDIR /usr/local/apache2',
        'EXPOSE 80',
        'STOPSIGNAL SIGWINCH',
        'CMD ["httpd-foreground"]',
      ],
    };
  },
  etcd: () => ({
    programs: [],
    copies: [
      [findProgram('etcd'), '/usr/local/bin/etcd'],
      [findProgram('etcdctl'), '/usr/local/bin/etcdctl'],
    ],
    texts: account('etcd', 1000),
    changes: ['EXPOSE 2379 2380', 'CMD ["/usr/local/bin/etcd"]'],
  }),
  prometheus: () => ({
    programs: [],
    copies: [
      [findProgram('prometheus'), '/usr/bin/prometheus'],
      [findProgram('promtool'), '/usr/bin/promtool'],
    ],
    texts: account('nobody', 65_534),
    directories: ['/etc/prometheus', '/prometheus'],
    changes: [
      'ENTRYPOINT ["/bin/prometheus"]',
      'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]',
      'EXPOSE 9090',
      'WORKDIR /prometheus',
    ],
  }),
};

function cLibraries(): readonly Copy[] {
  const [libc] = loadedLibraries(/\/libc\.so\.6$/).flat();
  if (!libc) return [];
  return ['librt.so.1', 'libutil.so.1', 'libresolv.so.2', 'libanl.so.1']
    .map((name) => join(dirname(libc), name))
    .filter((path) => existsSync(path))
    .map((path) => [path, path] as const);
}

/** By the Node that runs this. */
function loadedLibraries(having = /^\/.*\.so/): readonly Copy[] {
  const { sharedObjects } = process.report.getReport() as unknown as {
    readonly sharedObjects: readonly string[];
  };
  return sharedObjects.filter((path) => having.test(path)).map((path) => [path, path] as const);
}
