/** `rollcall wait`: until a backend is in rotation. Nothing is changed. */
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { checkWaitOptions, waitCommandOptions } from '../options/wait-options.ts';
import { atDesk } from '../operator/desk.ts';
import { waitInRotation } from '../operator/in-rotation.ts';
import { placesOf } from '../operator/look.ts';

export const spec: CommandSpec<typeof waitCommandOptions> = {
  name: 'wait',
  summary: 'Wait until every balancer has confirmed that its nginx sends requests to a backend.',
  options: waitCommandOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const settings = parseCommandLine(spec, argv, environment);
  checkWaitOptions(settings);
  const places = placesOf(settings.recordPrefix, settings.key);
  return await atDesk(settings, environment, (desk) => waitInRotation(desk, places, settings));
}
