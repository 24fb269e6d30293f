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
}

export function apacheConf({ home, address, failFlag }: Settings): string {
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

LoadModule mpm_event_module "${modules}/mod_mpm_event.so"
<IfModule !mod_unixd.c>
  LoadModule unixd_module "${modules}/mod_unixd.so"
</IfModule>
LoadModule authz_core_module "${modules}/mod_authz_core.so"
LoadModule rewrite_module "${modules}/mod_rewrite.so"

StartServers 1
ServerLimit 2
ThreadsPerChild 50
MaxRequestWorkers 100
MinSpareThreads 10
MaxSpareThreads 100
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
`.trimStart();
}
