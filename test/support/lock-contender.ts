/**
 * A process that wants to be the sole writer: told of a file, it tries and says how that ended;
 * told of none, it gives back what it has. It ends with whoever started it.
 */
import { becomeSoleWriter, type SoleWriter } from '../../src/balancer/sole-writer.ts';
import { messageOf } from '../../src/lib/errors.ts';

let held: SoleWriter | undefined;

process.on('message', (nginxConf: string) => {
  void answer(nginxConf).then((said) => process.send?.(said));
});

/** @returns "won", "given back", or why not. */
async function answer(nginxConf: string): Promise<string> {
  if (nginxConf === '') {
    await held?.[Symbol.asyncDispose]();
    held = undefined;
    return 'given back';
  }
  try {
    held = await becomeSoleWriter(nginxConf);
    return held.unguarded ?? 'won';
  } catch (error) {
    return messageOf(error);
  }
}

process.send?.('ready');
