// What the processes of a real nginx say, while it is reloaded with a request under way.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { expect, test } from 'vitest';
import { makeNginxHome, nginxProgram, startNginx } from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { WorkersWitness } from '../../src/balancer/nginx/by-workers.ts';
import { foldGenerations, noGenerations } from '../../src/balancer/nginx/generations.ts';
import { reloadBySignal } from '../../src/balancer/nginx/reload/by-signal.ts';
import { readWorkers, type Workers } from '../../src/balancer/nginx/workers.ts';
import { httpServer } from '../support/local-server.ts';

const workers = 3;

/** An nginx with a cache, whose keeper is a child of the master that is no worker, and a slow backend. */
async function startSlowSite() {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await makeNginxHome());
  const answers: (() => void)[] = [];
  const backend = stack.use(
    await httpServer((_request, response) => void answers.push(() => response.end('done'))),
  );
  const url = `http://127.0.0.1:${await freePort()}/`;
  const conf = `
    worker_processes ${workers};
    pid ${home.pidFile};
    error_log ${home.errorLog};
    events { worker_connections 64; }
    http {
      include ${home.path}/conf.d/*.conf;
      access_log off;
      proxy_cache_path ${home.path}/cache keys_zone=kept:1m;
      server {
        listen ${new URL(url).host};
        location / { return 204; }
        location /slow { proxy_pass ${backend.url}; }
      }
    }`;
  await writeFile(home.conf, conf);
  const nginx = stack.use(await startNginx({ conf: home.conf, url }));
  const owned = stack.move();
  return {
    ...{ home, nginx, answers },
    read: () => readWorkers(home.pidFile),
    /** Under way once the backend has it. */
    ask: async () => {
      const before = answers.length;
      const request = get(`${url}slow`, { agent: false });
      const answered = once(request, 'response');
      answered.catch(() => {});
      await waitUntil(
        { expected: 'the request at the backend', withinMs: 2000 },
        () => answers.length > before || 'not yet',
      );
      return { answered };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const until = (expected: string, holds: () => Promise<boolean>) =>
  waitUntil({ expected, withinMs: 5000, everyMs: 5 }, async () => (await holds()) || 'not so');

test('workers serve, leave when a reload has come and a request is under way, and are gone with it', async () => {
  await using site = await startSlowSite();
  const { home, answers, read, ask } = site;
  const before = await read();
  expect(before).toMatchObject({ leaving: [] });
  expect(before?.serving).toHaveLength(workers);

  const { answered } = await ask();
  let generations = foldGenerations(noGenerations, before, performance.now());
  const witness = new WorkersWitness();
  witness.told('one', before);
  expect(witness.answer(before)).toEqual({ kind: 'serves', generation: 'unknown' });
  expect(await reloadBySignal(home.pidFile)).toBeUndefined();

  const looks: (Workers | undefined)[] = [];
  await until('one worker that leaves', async () => {
    const now = await read();
    looks.push(now);
    generations = foldGenerations(generations, now, performance.now());
    return now?.serving.length === workers && now.leaving.length === 1;
  });
  const during = looks.at(-1);
  expect(before?.serving).toContain(during?.leaving[0]);
  expect(during?.serving.some((pid) => before?.serving.includes(pid))).toBe(false);
  expect(during?.master).toBe(before?.master);
  expect(generations.living).toBe(2);
  expect(looks.every((one) => one !== undefined && one.serving.length >= workers)).toBe(true);
  expect(witness.answer(during)).toEqual({ kind: 'serves', generation: 'one' });

  answers[0]?.();
  await answered;
  await until('nobody leaving', async () => (await read())?.leaving.length === 0);
  expect(foldGenerations(generations, await read(), performance.now()).living).toBe(1);
});

test('nginx by itself is believed until it is restarted or reloaded by others', async () => {
  await using site = await startSlowSite();
  const { home, nginx, read } = site;
  const witness = new WorkersWitness();
  const shows = async () => {
    const answer = witness.answer(await read());
    return answer.kind === 'serves' ? answer.generation : answer.kind;
  };
  const reload = async (generation: string) => {
    witness.told(generation, await read());
    await reloadBySignal(home.pidFile);
    await until(`${generation} served`, async () => (await shows()) === generation);
  };
  await reload('one');
  await reload('two');
  spawnSync(nginxProgram(), ['-c', home.conf, '-s', 'reload']);
  await until('a reload by hand seen', async () => (await shows()) === 'unknown');
  await reload('two');

  await nginx.kill();
  expect(await shows()).toBe('silent');
  expect(await read()).toBeUndefined();
  await nginx.start();
  expect(await shows()).toBe('unknown');
  await nginx.stop();
  expect(await read()).toBeUndefined();
});
