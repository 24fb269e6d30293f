/** From the options that say what is rendered to what renders it, for both commands that do. */
import { type CreatedRenderer, createRenderer } from '../balancer/render/render.ts';
import { readTemplates } from '../balancer/render/templates.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import type { RenderOptionValues, Services } from '../options/render-options.ts';

/** @throws UsageError when the template cannot be read, parsed or rendered. */
export function rendererOf(settings: RenderOptionValues & Services): CreatedRenderer {
  const { listen, confirmListen, confirmUrl, nginxPid, nginxTemp, errorLog, accessLog } = settings;
  const rendered = {
    ...{ listen, confirmListen, confirmPath: new URL(confirmUrl).pathname },
    ...{ pidFile: nginxPid, tempPath: nginxTemp, errorLog, accessLog },
    workerShutdownTimeoutMs: settings.workerShutdownTimeout,
  };
  try {
    return createRenderer(rendered, settings.services, readTemplates(settings.template));
  } catch (error) {
    throw new UsageError(`${messageOf(error)}: give a readable Liquid template`);
  }
}
