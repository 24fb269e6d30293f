/** `rollcall drain`: orders that a backend is taken out of rotation; with --wait until no nginx uses it. */
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { drainCommandOptions } from '../options/drain-command-options.ts';
import type { OptionValues } from '../options/option.ts';
import { checkOperatorOptions } from '../options/wait-options.ts';
import { atDesk, type Desk, waitAtDesk, whoAsks } from '../operator/desk.ts';
import { type DrainMemory, nothingSeen } from '../operator/drain-state.ts';
import { untilDrained } from '../operator/drained.ts';
import { placesOf } from '../operator/look.ts';
import { orderDrain, type Ordered } from '../operator/order.ts';
import { orderedLines, refusalWords } from '../operator/words.ts';

export const spec: CommandSpec<typeof drainCommandOptions> = {
  name: 'drain',
  summary: 'Order that a backend is taken out of rotation; with --wait, until no nginx uses it.',
  options: drainCommandOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const settings = parseCommandLine(spec, argv, environment);
  checkOperatorOptions(settings);
  const by = whoAsks(environment);
  return await atDesk(settings, environment, (desk) => drain(desk, settings, by));
}

async function drain(
  desk: Desk,
  settings: OptionValues<typeof drainCommandOptions>,
  by: string,
): Promise<number> {
  const { key, recordPrefix, force, reason = null, wait, drainUntil: until, balancers } = settings;
  const { store, clock, say, tell, signal } = desk;
  const places = placesOf(recordPrefix, key);
  const asked = { by, at: clock.date().toISOString(), reason, force };
  const ordered = await orderDrain(store, { places, recordPrefix }, asked, signal);
  const { plan, scene } = ordered;
  if (plan.kind !== 'write' && plan.kind !== 'already') {
    say(refusalWords(key, plan));
    return 1;
  }
  const lines = orderedLines(key, plan, scene);
  if (!wait) {
    for (const line of lines) tell(line);
    return 0;
  }
  // All but the last, which says how to wait.
  for (const line of lines.slice(0, -1)) say(line);
  return await waitAtDesk(desk, {
    places,
    timeoutMs: settings.timeout,
    otherwise: 'it is not confirmed, and the order stands',
    judge: untilDrained(knownOf(ordered), { places, until, balancers, say }),
  });
}

/** What the wait can begin with. */
function knownOf({ plan, scene, revision }: Ordered): DrainMemory {
  if (plan.kind !== 'write' || revision === undefined) return nothingSeen;
  // Of a key that we did not delete it is yet to be seen when it goes.
  const isHeld = scene.key !== undefined && !plan.deletesKey;
  return {
    ...nothingSeen,
    seen: { clusterId: scene.clusterId, revision },
    ...(isHeld
      ? { presentAt: revision, absentAt: undefined }
      : { presentAt: 0, absentAt: revision }),
  };
}
