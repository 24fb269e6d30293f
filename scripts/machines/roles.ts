/**
 * The role commands of the README, as they stand there: what is tested is the text that operators copy.
 */
import { readFile } from 'node:fs/promises';

export interface RoleCommand {
  readonly line: string;
  readonly role: string;
  /** What it grants; undefined: it makes the role. */
  readonly grant?: { readonly access: 'read' | 'readwrite'; readonly prefix: string };
}

export interface Roles {
  readonly commands: readonly RoleCommand[];
  /** All of it in order, and each role to the user of its name. */
  readonly lines: readonly string[];
}

const role =
  /^etcdctl role (?:add (\S+)|grant-permission (\S+) --prefix=true (read|readwrite) (\S+))$/gm;
const user = /^etcdctl user grant-role USER watchdog\b/m;

/** @throws Error when the README does not say how a user gets its role. */
export async function readmeRoles(): Promise<Roles> {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const commands = [...text.matchAll(role)].map(
    ([line, added, of = added ?? '', access, prefix]): RoleCommand => ({
      ...{ line, role: of },
      ...(prefix !== undefined && {
        grant: { access: access === 'read' ? 'read' : 'readwrite', prefix },
      }),
    }),
  );
  const [granting] = user.exec(text) ?? [];
  if (granting === undefined) throw new Error('the README grants no user a role');
  const given = [...new Set(commands.map(({ role: name }) => name))].map((name) =>
    granting.replace('USER', name).replace(/watchdog$/, name),
  );
  return { commands, lines: [...commands.map(({ line }) => line), ...given] };
}
