/**
 * The Compose file, brought up in one go and in use: what is killed or restarted comes back by itself,
 * and leaves alone what is not it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { now, type Sent, startSteadyClient } from '../../scripts/demo/steady-client.ts';
import { composeOf, planStack, type Run, type Stack } from '../../scripts/deploy/stack.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

const stack = new AsyncDisposableStack();
let site: Stack;

beforeAll(async () => {
  site = stack.use(await planStack());
  await site.up();
});
afterAll(() => stack.disposeAsync());

/** All who ask meanwhile, and how it ended for those for whom it ended badly. */
async function whileAsked(act: () => Promise<unknown>): Promise<readonly (string | undefined)[]> {
  using client = startSteadyClient(site.url);
  const from = now();
  await act();
  const sent: readonly Sent[] = await client.startedBetween(from, now());
  expect(sent.length).toBeGreaterThan(10);
  return sent.map(({ failure }) => failure).filter(Boolean);
}

interface Record {
  readonly instance: string;
}
const recordOf = async (name: string) => {
  const key = `/rollcall/watchdogs/test/${name}`;
  return JSON.parse(await site.exec('etcd', 'etcdctl', 'get', '--print-value-only', key)) as Record;
};

/** Kills its process outright; resolves once the engine has started it again. */
async function crash(service: string): Promise<void> {
  const before: Run = await site.runOf(service);
  process.kill(before.pid, 'SIGKILL');
  await waitUntil({ expected: `${service} again`, withinMs: 20_000, everyMs: 50 }, async () => {
    const { id, pid } = await site.runOf(service);
    return (id === before.id && pid > 0 && pid !== before.pid) || `process ${pid}`;
  });
}

test('up --wait, once: both apaches answer, both keys are held', async () => {
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
  expect(await site.keys()).toEqual([
    `/test/apache-8001 ${site.env['NETWORK']}.11:8001`,
    `/test/apache-8002 ${site.env['NETWORK']}.12:8002`,
  ]);
});

interface Targets {
  readonly data: {
    readonly activeTargets: readonly {
      readonly labels: { readonly job: string };
      readonly health: string;
    }[];
  };
}
const untilScraped = (watchdogs: number) => {
  const expected = ['balancer', 'etcd', 'prometheus', ...Array<string>(watchdogs).fill('watchdog')]
    .map((job) => `${job} up`)
    .join(', ');
  return waitUntil(
    { expected: `targets ${expected}`, withinMs: 40_000, everyMs: 200 },
    async () => {
      const { body } = await httpGet(`${site.prometheusUrl}/api/v1/targets`, 2000);
      const { activeTargets } = (JSON.parse(body) as Targets).data;
      const seen = activeTargets.map(({ labels, health }) => `${labels.job} ${health}`);
      return seen.toSorted().join(', ') === expected || seen.join(', ');
    },
  );
};

test('Prometheus scrapes each of them', async () => {
  expect(await untilScraped(2)).toBeGreaterThan(0);
});

test('an apache is killed: out of the pool and in again, and nobody notices', async () => {
  const revision = async () => {
    const got = await site.exec('etcd', 'etcdctl', 'get', '/test/apache-8001', '--write-out=json');
    const { kvs = [] } = JSON.parse(got) as { kvs?: readonly { create_revision: number }[] };
    return kvs[0]?.create_revision ?? 0;
  };
  const before = { revision: await revision(), watchdog: await site.runOf('watchdog-8001') };
  const failed = await whileAsked(async () => {
    await crash('apache-8001');
    await waitUntil({ expected: 'the key anew', withinMs: 20_000, everyMs: 100 }, async () => {
      return (await revision()) > before.revision || 'as before, or none';
    });
    await site.untilReady('watchdog-8001');
  });
  expect(failed).toEqual([]);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
  // Its apache's end is not its own.
  expect(await site.runOf('watchdog-8001')).toEqual(before.watchdog);
});

test('a watchdog is killed: another run of it holds the key', async () => {
  const before = await recordOf('apache-8002');
  const failed = await whileAsked(async () => {
    await crash('watchdog-8002');
    await site.untilReady('watchdog-8002');
  });
  expect(failed).toEqual([]);
  expect((await recordOf('apache-8002')).instance).not.toBe(before.instance);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
});

test('restart balancer: nginx runs on, and no request fails', async () => {
  const before = { nginx: await site.runOf('nginx'), balancer: await site.runOf('balancer') };
  const failed = await whileAsked(async () => {
    await site.compose('restart', 'balancer');
    await site.untilReady('balancer');
  });
  expect(failed).toEqual([]);
  expect(await site.runOf('nginx')).toEqual(before.nginx);
  expect(await site.runOf('balancer')).not.toEqual(before.balancer);
});

test('restart nginx: the balancer runs on, and proves what the new one serves', async () => {
  const before = { nginx: await site.runOf('nginx'), balancer: await site.runOf('balancer') };
  await site.compose('restart', 'nginx');
  await site.untilReady('balancer');
  expect(await site.runOf('balancer')).toEqual(before.balancer);
  expect(await site.runOf('nginx')).not.toEqual(before.nginx);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
});

test.each(['balancer', 'nginx'])('%s is killed: the other runs on', async (killed) => {
  const other = killed === 'nginx' ? 'balancer' : 'nginx';
  const before = await site.runOf(other);
  await crash(killed);
  await site.untilReady('balancer');
  expect(await site.runOf(other)).toEqual(before);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
});

test('both are killed, and come back by themselves', async () => {
  await Promise.all([crash('balancer'), crash('nginx')]);
  await site.untilReady('balancer');
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
});

test('one apache after the other is restarted, drained by its watchdog: no request fails', async () => {
  const failed = await whileAsked(async () => {
    for (const port of ['8001', '8002']) {
      await site.compose('stop', `watchdog-${port}`);
      await site.compose('restart', `apache-${port}`);
      await site.up(`watchdog-${port}`);
    }
  });
  expect(failed).toEqual([]);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
});

test('one more pair joins, is scraped, and leaves: no request fails', async () => {
  const env = {
    ...site.env,
    ...{ PORT: '8003', ADDRESS: `${site.env['NETWORK']}.13`, STACK: site.project },
  };
  const files = ['docker/apache.yaml'];
  const compose = composeOf({ project: `${site.project}-8003`, env, files });
  await using gone = new AsyncDisposableStack();
  gone.defer(async () => void (await compose('down', '--volumes', '--timeout', '1')));
  const failed = await whileAsked(async () => {
    await compose('up', '--detach', '--wait');
    expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002', 'apache-8003']);
    await untilScraped(3);
    await compose('down', '--volumes');
  });
  expect(failed).toEqual([]);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
  expect(await site.keys()).toHaveLength(2);
});
