/**
 * The story, in the order in which it is told.
 */
import type { Chapter } from './chapter.ts';
import { answering500 } from './chapters/answering-500.ts';
import { etcdAway } from './chapters/etcd-away.ts';
import { frozen } from './chapters/frozen.ts';
import { killed } from './chapters/killed.ts';
import { nginxRestarted } from './chapters/nginx-restarted.ts';
import { rollingRestart } from './chapters/rolling-restart.ts';
import { watchdogKilled } from './chapters/watchdog-killed.ts';

export const chapters: readonly Chapter[] = [
  killed,
  frozen,
  answering500,
  watchdogKilled,
  etcdAway,
  nginxRestarted,
  rollingRestart,
];
