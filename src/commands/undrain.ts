/** `rollcall undrain`: takes the order to drain a backend back. */
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { undrainCommandOptions } from '../options/drain-command-options.ts';
import { checkOperatorOptions } from '../options/wait-options.ts';
import { atDesk } from '../operator/desk.ts';
import { waitInRotation } from '../operator/in-rotation.ts';
import { placesOf } from '../operator/look.ts';
import { takeBackDrain } from '../operator/order.ts';
import { takenBackWords } from '../operator/words.ts';

export const spec: CommandSpec<typeof undrainCommandOptions> = {
  name: 'undrain',
  summary: 'Take the order to drain a backend back, so that it is put in rotation again.',
  options: undrainCommandOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const settings = parseCommandLine(spec, argv, environment);
  checkOperatorOptions(settings);
  const places = placesOf(settings.recordPrefix, settings.key);
  return await atDesk(settings, environment, async (desk) => {
    const { plan, look } = await takeBackDrain(desk.store, places, desk.signal);
    const words = takenBackWords(places.key, plan, look);
    if (!settings.wait) {
      desk.tell(words);
      return 0;
    }
    desk.say(words);
    return await waitInRotation(desk, places, settings);
  });
}
