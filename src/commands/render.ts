/**
 * `rollcall render`: the file that the balancer would write for these backends, on standard
 * output, without an etcd and without an nginx: to try a template, or a change of options. Keys
 * and values meet the same grammar as those of etcd, and what it sets aside is on standard error.
 */
import { givenPools } from '../balancer/render/given-pools.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { checkRenderOptions, renderCommandOptions } from '../options/render-options.ts';
import { readWhole } from './read-whole.ts';
import { rendererOf } from './renderer.ts';

export const spec: CommandSpec<typeof renderCommandOptions> = {
  name: 'render',
  summary: 'Print the nginx.conf for backends from a JSON file, without etcd and nginx.',
  options: renderCommandOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const values = parseCommandLine(spec, argv, environment);
  const { services } = checkRenderOptions(values);
  const { render } = rendererOf({ ...values, services });
  const text = await readWhole(values.backends).catch((error: unknown) => {
    throw new UsageError(
      `--backends ${values.backends}: ${messageOf(error)}: give a readable file, or - for standard input`,
    );
  });
  const given = givenPools(services, text);
  if (!given.ok) {
    throw new UsageError(
      `--backends ${values.backends}: ${given.reason}: give an object of keys and values, such as ` +
        '{"/test/apache-8001":"172.17.8.101:8001"}',
    );
  }
  const { served, setAside } = given.value;
  process.stdout.write(textOf(() => render(served).text));
  for (const { key, reason } of setAside) {
    process.stderr.write(`rollcall: set aside: ${key}: ${reason}\n`);
  }
  return 0;
}

/** A template can fail on backends that it was never tried on. */
function textOf(render: () => string): string {
  try {
    return render();
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
