/**
 * Option values that go into nginx.conf or say how to reach nginx. Each meets a
 * strict grammar here, so that none of them can add a directive.
 */
import { isIP } from 'node:net';
import { parseArgsStringToArgv } from 'string-argv';
import { absolutePath, BadValue, httpUrl } from './values.ts';

/**
 * Any address that nginx's `listen` takes: a port, an address, an address with a
 * port, a name, or unix:PATH (nginx.org/en/docs/http/ngx_http_core_module.html#listen).
 */
export function nginxListen(text: string): string {
  const accepted = 'what nginx\'s "listen" takes: 80, 127.0.0.1:80, *:80, [::]:80 or unix:/PATH';
  if (text.startsWith('unix:')) {
    absolutePath(text.slice('unix:'.length));
    return text;
  }
  const [, v6, name, port, onlyPort] =
    /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+|\*))(?::(\d{1,5}))?|(\d{1,5}))$/.exec(text) ?? [];
  // "80" alone matches as a name too; nginx reads it as a port, and so do we.
  const bare = name !== undefined && port === undefined && /^\d+$/.test(name) ? name : onlyPort;
  const number = Number(port ?? bare ?? 80);
  const isAddress =
    bare !== undefined || name !== undefined || (v6 !== undefined && isIP(v6) === 6);
  if (!isAddress || number < 1 || number > 65_535) throw new BadValue(accepted);
  return text;
}

/**
 * Where nginx answers with its generation: a TCP address only. A unix socket left
 * behind by a killed nginx would keep it from starting again.
 */
export function nginxConfirmListen(text: string): string {
  if (text.startsWith('unix:')) {
    throw new BadValue(
      'a TCP address such as 127.0.0.1:8079 (a unix socket left by a killed nginx keeps it from starting again)',
    );
  }
  return nginxListen(text);
}

/** Where nginx answers with its generation: its path becomes a location, so it is a plain one. */
export function nginxConfirmUrl(text: string): string {
  const accepted = 'a plain http:// URL such as http://127.0.0.1:8079/';
  const url = new URL(httpUrl(text));
  if (url.protocol !== 'http:' || url.search || url.hash || !/^[\w./-]+$/.test(url.pathname)) {
    throw new BadValue(accepted);
  }
  return url.href;
}

export type ReloadMethod =
  | { readonly kind: 'signal' }
  | { readonly kind: 'docker'; readonly container: string }
  | { readonly kind: 'exec'; readonly command: readonly [string, ...string[]] };

/** "signal", "docker:CONTAINER" or "exec:COMMAND ARG ...": quotes group, no shell runs. */
export function reloadMethod(text: string): ReloadMethod {
  const accepted = 'signal, docker:CONTAINER or exec:COMMAND';
  if (text === 'signal') return { kind: 'signal' };
  const [, kind, rest = ''] = /^(docker|exec):(.+)$/s.exec(text) ?? [];
  if (kind === 'docker') {
    // The engine's own rule for names (and it takes IDs, which the rule covers).
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(rest)) throw new BadValue(accepted);
    return { kind, container: rest };
  }
  if (kind === 'exec') {
    const [program, ...args] = parseArgsStringToArgv(rest);
    if (program === undefined) throw new BadValue(accepted);
    return { kind, command: [program, ...args] };
  }
  throw new BadValue(accepted);
}

export function accessLog(text: string): string {
  return text === 'off' ? text : absolutePath(text);
}
