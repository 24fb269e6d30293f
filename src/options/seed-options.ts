/** The options of `rollcall seed`: those of what is rendered, where to, and from where. */
import { nginxConfOption } from './nginx-conf.ts';
import { option } from './option.ts';
import { renderOptions } from './render-options.ts';
import { absolutePath } from './values.ts';

export const seedCommandOptions = {
  from: option({
    placeholder: 'DIRECTORY',
    help: "nginx's own configuration, as it was installed",
    default: '/etc/nginx',
    environment: false,
    parse: absolutePath,
  }),
  nginxConf: nginxConfOption,
  ...renderOptions,
};
