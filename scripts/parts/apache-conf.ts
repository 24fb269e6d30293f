/**
 * The configuration of an apache that needs nothing outside its own directory but its modules, and
 * runs for root and for anybody else.
 */
import { existsSync } from 'node:fs';

/** Debian, Fedora and SUSE, Alpine, macOS. */
const MODULE_DIRECTORIES = [
  '/usr/lib/apache2/modules',
  '/usr/lib64/httpd/modules',
  '/usr/lib/apache2',
  '/usr/libexec/apache2',
];

interface Settings {
  readonly home: string;
  readonly address: string;
  /** While this file exists every answer is 500. */
  readonly failFlag: string;
  readonly extra?: ApacheExtra;
}

/** What an apache has beyond the usual. */
export interface ApacheExtra {
  /** "prefork": one process for each connection, five at most. */
  readonly mpm?: 'event' | 'prefork';
  /** "headers" for mod_headers. */
  readonly modules?: readonly string[];
  readonly directives?: readonly string[];
}

const workers = {
  event: `
StartServers 1
ServerLimit 2
ThreadsPerChild 50
MaxRequestWorkers 100
MinSpareThreads 10
MaxSpareThreads 100`,
  prefork: `
StartServers 1
MaxRequestWorkers 5`,
};

export function apacheConf({ home, address, failFlag, extra = {} }: Settings): string {
  const { mpm = 'event', directives = [] } = extra;
  const modules = MODULE_DIRECTORIES.find((path) => existsSync(`${path}/mod_mpm_event.so`));
  if (!modules) throw new Error("apache's modules are in none of the usual places");
  return `
ServerRoot "${home}"
DefaultRuntimeDir "${home}"
PidFile "${home}/apache.pid"
ErrorLog "${home}/error.log"
ServerName ${address}
Listen ${address}
${process.getuid?.() === 0 ? 'User nobody\nGroup #65534' : ''}

LoadModule mpm_${mpm}_module "${modules}/mod_mpm_${mpm}.so"
<IfModule !mod_unixd.c>
  LoadModule unixd_module "${modules}/mod_unixd.so"
</IfModule>
LoadModule authz_core_module "${modules}/mod_authz_core.so"
LoadModule rewrite_module "${modules}/mod_rewrite.so"
${(extra.modules ?? []).map((name) => `LoadModule ${name}_module "${modules}/mod_${name}.so"`).join('\n')}
${workers[mpm]}
GracefulShutdownTimeout 3

DocumentRoot "${home}/pages"
<Directory "${home}/pages">
  AllowOverride None
  Require all granted
  ForceType text/html
</Directory>

RewriteEngine On
RewriteCond "${failFlag}" -f
RewriteRule ^ - [R=500,L]
RewriteRule ^ /index.html [L]
${directives.join('\n')}
`.trimStart();
}
