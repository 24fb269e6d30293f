/** Where nginx.conf is, for all commands that write it. */
import { option } from './option.ts';
import { absolutePath } from './values.ts';

export const nginxConfOption = option({
  placeholder: 'FILE',
  help: 'the file to write; its directory must be writable',
  default: '/etc/nginx/nginx.conf',
  parse: absolutePath,
});
