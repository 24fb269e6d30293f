/**
 * At most one balancer runs for one nginx.conf on this host, in whatever pid or network
 * namespace, and one that was killed is in nobody's way. The sign is a listening socket
 * beside the file: the system ends its listening with its process, and whoever sees the
 * directory can ask it. (There is no well-kept library for this without native code or a
 * heartbeat, after which one that is frozen counts as gone.)
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { chmod, link, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { codeOf, messageOf, UsageError } from '../lib/errors.ts';
import { askHolder, listenAsHolder } from './lock-socket.ts';

export interface SoleWriter extends AsyncDisposable {
  /** Why a second balancer cannot be kept out here, to be logged; undefined: it is kept out. */
  readonly unguarded: string | undefined;
}

/** Two may find the same dead socket; by then both have put theirs in its place, and the last stays. */
const takeOverMs = 100;

/** Each time somebody else came or went meanwhile. */
const maxAttempts = 20;

/** The system takes no longer path for a socket. */
const maxSocketPathBytes = 107;

/** @throws UsageError when another balancer is there, saying which. */
export async function becomeSoleWriter(
  nginxConf: string,
  clock: Clock = systemClock,
): Promise<SoleWriter> {
  try {
    return await take(nginxConf, clock);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return {
      unguarded: `a second balancer for ${nginxConf} would not be noticed: ${messageOf(error)}`,
      [Symbol.asyncDispose]: async () => {},
    };
  }
}

async function take(nginxConf: string, clock: Clock): Promise<SoleWriter> {
  const directory = dirname(nginxConf);
  const lockPath = join(directory, `.${basename(nginxConf)}.rollcall-lock`);
  // Only what listens already is given the name: what has the name and does not listen is dead.
  const ownPath = `${lockPath}-${randomBytes(4).toString('hex')}`;
  await using handle = await open(directory, 'r');
  const asSocket = (path: string) =>
    Buffer.byteLength(path) <= maxSocketPathBytes
      ? path
      : join(`/proc/self/fd/${handle.fd}`, basename(path));

  await using stack = new AsyncDisposableStack();
  const server = await listenAsHolder(asSocket(ownPath));
  stack.defer(() => void server.close());
  // One of another account is to ask it, too.
  await chmod(ownPath, 0o666);
  const own = printOf(ownPath);
  stack.defer(() => {
    if (printOf(lockPath) === own) rmSync(lockPath, { force: true });
  });

  const ask = () => askHolder(asSocket(lockPath), clock);
  let tookOver = false;
  for (let attempt = 1; !tookOver && !(await given(ownPath, lockPath)); attempt += 1) {
    if (attempt === maxAttempts) throw new Error(`${lockPath} changes all the time`);
    const found = printOf(lockPath);
    if (found === undefined) continue;
    if (found === noSocket) throw new Error(`${lockPath} is no socket: remove it`);
    const holder = await ask();
    if (holder.kind === 'holds') throw taken(nginxConf, holder.who);
    // In one go, since whoever has found the same one may have put his in its place meanwhile; and
    // never without one in that place, which a third, who has found none, would take for free.
    if (holder.kind === 'dead' && printOf(lockPath) === found) {
      renameSync(ownPath, lockPath);
      tookOver = true;
    }
  }
  await rm(ownPath, { force: true });
  if (tookOver) {
    await clock.sleep(takeOverMs);
    if (printOf(lockPath) !== own) {
      const holder = await ask();
      throw taken(nginxConf, holder.kind === 'holds' ? holder.who : undefined);
    }
  }
  const held = stack.move();
  return { unguarded: undefined, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** @returns false when somebody has the name. */
async function given(ownPath: string, lockPath: string): Promise<boolean> {
  try {
    await link(ownPath, lockPath);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

const noSocket = 'no socket';

/** Tells one socket from another, even where a number of a file is used again. */
function printOf(path: string): string | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return stats.isSocket() ? [stats.dev, stats.ino, stats.birthtimeNs].join(' ') : noSocket;
}

const taken = (nginxConf: string, who = 'a process that does not say who it is') =>
  new UsageError(
    `--nginx-conf ${nginxConf}: a balancer looks after it already (${who}): stop that one, or give this one a file of its own`,
  );
