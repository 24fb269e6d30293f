/**
 * The machine of whoever operates the three, on their network: etcdctl as root, the commands of
 * rollcall as the user of the watchdogs, and the client that asks both nginxes all along.
 */
import { checkoutPath } from '../systemd/machine-image.ts';
import { waitUntil } from '../parts/wait-until.ts';
import type { Asked } from './asking.ts';
import { type Certificate } from './certificates.ts';
import { etcdAccess, loginFiles, type Member } from './host-files.ts';
import { bootMachine, type Machine, type Plug } from './machine.ts';

const node = `${checkoutPath}/node_modules/.bin/node`;
const seenFile = '/run/asked.json';
/** As long as the client waits for one answer, the writing of its file, and a stall. */
const endedWithinMs = 10_000 + 10_000;

export const rootPassword = 'of-root';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Operator extends AsyncDisposable {
  readonly machine: Machine;
  /** Each line as it would be typed; the first that fails ends it. */
  readonly etcdctl: (...lines: readonly string[]) => Promise<string>;
  /** From now on etcd is asked as its root. */
  readonly logIn: () => void;
  rollcall(...words: readonly string[]): Promise<Ran>;
  /** What has become of every request that was begun by now. */
  asked(): Promise<Asked>;
}

export async function bootOperator(
  plug: Plug,
  members: readonly Member[],
  { ca, client, password }: { ca: string; client: Certificate; password: string },
): Promise<Operator> {
  const urls = members.map(({ address }) => `https://${address}:2379`).join();
  const access = etcdAccess('watchdog', urls);
  const asking = `${checkoutPath}/scripts/machines/asking.ts`;
  const machine = await bootMachine({
    ...{ hostname: 'operator', plugs: [plug] },
    files: {
      [access.ROLLCALL_ETCD_CA]: ca,
      [access.ROLLCALL_ETCD_CERT]: client.cert,
      [access.ROLLCALL_ETCD_KEY]: client.key,
      ...loginFiles('watchdog', password),
      '/etc/systemd/system/client.service': [
        ...['[Service]', 'EnvironmentFile=/run/client.env'],
        `ExecStart=${node} ${asking} ${seenFile} $URLS`,
      ].join('\n'),
    },
  });
  const user: string[] = [];
  const seen = async () => JSON.parse(await machine.run('cat', seenFile)) as Asked;
  return {
    machine,
    etcdctl: (...lines) =>
      machine.run(
        ...['env', 'ETCDCTL_API=3', `ETCDCTL_ENDPOINTS=${urls}`, ...user],
        ...[
          `ETCDCTL_CACERT=${access.ROLLCALL_ETCD_CA}`,
          `ETCDCTL_CERT=${access.ROLLCALL_ETCD_CERT}`,
        ],
        ...[`ETCDCTL_KEY=${access.ROLLCALL_ETCD_KEY}`, 'sh', '-ec', lines.join('\n')],
      ),
    logIn: () => void user.push(`ETCDCTL_USER=root:${rootPassword}`),
    rollcall: async (...words) => {
      const settings = Object.entries(access).map(([name, value]) => `${name}=${value}`);
      const ran = machine.run('env', ...settings, node, `${checkoutPath}/dist/cli.js`, ...words);
      return ran.then(
        (stdout) => ({ status: 0, stdout, stderr: '' }),
        ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
          ...{ status: code, stdout, stderr },
        }),
      );
    },
    asked: async () => {
      const { begun } = await seen();
      let now = await seen();
      await waitUntil({ expected: 'an end of all requests', withinMs: endedWithinMs }, async () => {
        now = await seen();
        return now.ended >= begun || `${now.ended} of ${begun}`;
      });
      return now;
    },
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}
