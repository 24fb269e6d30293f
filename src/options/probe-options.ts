/** The options of the probe, the contradictions between them, and the target that they make. */
import { UsageError } from '../lib/errors.ts';
import { textMatch } from '../watchdog/probe/body-match.ts';
import { type HttpTarget, type ProbeTarget, shownUrl } from '../watchdog/probe/target.ts';
import type { OptionValues } from './option.ts';
import { flagOf, onOff, option, optional } from './option.ts';
import { tlsOf } from './probe-tls.ts';
import {
  bodyRegex,
  byteCount,
  certificateFile,
  hostHeader,
  keyFile,
  probeUrl,
  requestHeaders,
  serverName,
  statusRanges,
} from './probe-values.ts';
import { choice, count, socketAddress } from './values.ts';

/** Left out is not the same as given as it is by default: with tcp:// the one is right, the other not. */
const orElse = (defaultHelp: string) => ({ default: '', defaultHelp });

export const probeOptions = {
  probe: option({
    placeholder: 'URL',
    help: 'what to ask this apache, by http://, https:// or tcp:// (connect only)',
    ...orElse('http://ADDRESS/'),
    parse: optional(probeUrl),
  }),
  probeMethod: option({
    placeholder: 'METHOD',
    help: 'GET, HEAD or OPTIONS',
    ...orElse('GET'),
    parse: optional(choice('GET', 'HEAD', 'OPTIONS')),
  }),
  probeStatus: option({
    placeholder: 'RANGES',
    help: 'the status codes that pass, such as 200,204,300-399',
    ...orElse('200-399'),
    parse: optional(statusRanges),
  }),
  probeHeader: option({
    placeholder: "'NAME: VALUE'",
    help: 'a header to send; may be given again, in the variable one a line',
    ...orElse('none'),
    separator: '\n',
    // A header may be a password: of a refused one, only the names are shown.
    shown: (text) => text.replaceAll(/:.*$/gm, ': ...'),
    parse: optional(requestHeaders),
  }),
  probeHost: option({
    placeholder: 'HOST',
    help: "the Host header, and with it the virtual host, instead of the URL's",
    ...orElse("the URL's"),
    parse: optional(hostHeader),
  }),
  probeBody: option({
    placeholder: 'TEXT',
    help: 'a text that the body must contain',
    ...orElse('any body'),
    parse: optional((text) => text),
  }),
  probeBodyRegex: option({
    placeholder: 'REGEX',
    help: "a regular expression that the body must match, in RE2's syntax",
    ...orElse('any body'),
    parse: optional(bodyRegex),
  }),
  probeBodyLimit: option({
    placeholder: 'BYTES',
    help: 'how much of a body is read, from 1B to 1MiB; of a longer one no connection is kept',
    ...orElse('64KiB'),
    parse: optional(byteCount),
  }),
  probeRedirects: option({
    placeholder: 'COUNT',
    help: 'how many redirects to follow, up to 10; with 0 a redirect is an answer',
    ...orElse('0'),
    parse: optional(count(0, 10)),
  }),
  probeCa: option({
    placeholder: 'FILE',
    help: 'the authorities of an https:// probe, in PEM; files are read at the start',
    ...orElse('those that Node brings'),
    parse: optional(certificateFile),
  }),
  probeCert: option({
    placeholder: 'FILE',
    help: 'the client certificate to show, in PEM',
    ...orElse('none'),
    parse: optional(certificateFile),
  }),
  probeKey: option({
    placeholder: 'FILE',
    help: 'the key of that certificate, in PEM',
    ...orElse('none'),
    parse: optional(keyFile),
  }),
  probeServerName: option({
    placeholder: 'NAME',
    help: 'the name to ask for in TLS, and that the certificate must be for',
    ...orElse('that of the Host header'),
    parse: optional(serverName),
  }),
  probeInsecure: option({
    help: 'accept any certificate',
    ...onOff,
  }),
  deathWatch: option({
    placeholder: 'on|off',
    help: "keep the last probe's connection open, to probe again at once when it closes",
    default: 'on',
    parse: (text) => choice('on', 'off')(text) === 'on',
  }),
};

export type ProbeValues = OptionValues<typeof probeOptions> & { readonly timeout: number };

const ofTls = [
  ...(['probeCa', 'probeCert', 'probeKey', 'probeServerName', 'probeInsecure'] as const),
];
const ofHttp = [
  ...(['probeMethod', 'probeStatus', 'probeHeader', 'probeHost', 'probeBody'] as const),
  ...(['probeBodyRegex', 'probeBodyLimit', 'probeRedirects', ...ofTls] as const),
];

/**
 * Fills in what was not given, and refuses what contradicts itself.
 * @throws UsageError that names the options and says what would do.
 */
export function probeTarget(values: ProbeValues, address: string): ProbeTarget {
  const url = values.probe ?? `http://${address}/`;
  const always = { timeoutMs: values.timeout, keepIdle: values.deathWatch };
  if (url.startsWith('tcp:')) {
    refuse(values, ofHttp, `--probe ${url} only connects: give an http:// or https:// URL`);
    return { kind: 'tcp', ...socketAddress(url.slice('tcp://'.length)), ...always };
  }
  // A redirect may lead to https://.
  const mayNeedTls = url.startsWith('https:') || (values.probeRedirects ?? 0) > 0;
  const withoutTls = `--probe ${shownUrl(url)} is without TLS: give an https:// URL`;
  if (!mayNeedTls) refuse(values, ofTls, withoutTls);
  const method = values.probeMethod ?? 'GET';
  return {
    ...{ kind: 'http', url, method, ...always, ...bodyOf(values) },
    statuses: values.probeStatus ?? [{ from: 200, to: 399 }],
    headers: values.probeHeader ?? [],
    host: values.probeHost,
    redirects: values.probeRedirects ?? 0,
    tls: mayNeedTls ? tlsOf(values) : undefined,
  };
}

function refuse(values: ProbeValues, names: readonly (keyof ProbeValues)[], why: string): void {
  for (const name of names) {
    if (values[name] !== undefined && values[name] !== false) {
      throw new UsageError(`${flagOf(name)} is of no use, since ${why}, or leave it out`);
    }
  }
}

function bodyOf(values: ProbeValues): Pick<HttpTarget, 'body' | 'bodyLimitBytes'> {
  const { probeMethod, probeBody: text, probeBodyRegex: regex } = values;
  const bodyLimitBytes = values.probeBodyLimit ?? 64 * 1024;
  if (text !== undefined && regex) {
    throw new UsageError('--probe-body and --probe-body-regex contradict each other: give one');
  }
  const body = text === undefined ? regex : textMatch(text);
  if (probeMethod === 'HEAD' && (body ?? values.probeBodyLimit) !== undefined) {
    const ofBody = regex ? '--probe-body-regex' : '--probe-body';
    const flag = body ? ofBody : '--probe-body-limit';
    throw new UsageError(`${flag} and --probe-method HEAD contradict each other: HEAD has no body`);
  }
  if (body && body.mostBodyBytes < bodyLimitBytes) {
    throw new UsageError(
      `--probe-body-regex is too large for bodies of ${bodyLimitBytes} bytes, it might take long: ` +
        `give --probe-body-limit ${body.mostBodyBytes}B or less, or a shorter one`,
    );
  }
  return { body, bodyLimitBytes };
}
