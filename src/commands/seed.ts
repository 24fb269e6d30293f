/** `rollcall seed`: a volume or a directory that nginx can start on, before any balancer. */
import { configFile } from '../balancer/nginx/config-file.ts';
import { seed } from '../balancer/seed.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { checkRenderOptions } from '../options/render-options.ts';
import { seedCommandOptions } from '../options/seed-options.ts';
import { rendererOf } from './renderer.ts';

export const spec: CommandSpec<typeof seedCommandOptions> = {
  name: 'seed',
  summary: 'Fill a directory with what nginx can start on before there is a balancer.',
  options: seedCommandOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const values = parseCommandLine(spec, argv, environment);
  const { services } = checkRenderOptions(values);
  const { nginxConf, from } = values;
  const { render } = rendererOf({ ...values, services });
  const { text } = render(services.map((service) => ({ service, backends: [] })));
  process.stdout.write(`${await seed({ file: configFile(nginxConf), from, first: text })}\n`);
  return 0;
}
