/** The units for a host without containers: systemd knows every word in them, and finds them boxed in. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootMachine, type Machine } from '../../scripts/systemd/machine.ts';
import { hostFiles, hostUnits } from './host-units.ts';

let machine: Machine;
const stack = new AsyncDisposableStack();
const units = await hostUnits();

beforeAll(async () => void (machine = stack.use(await bootMachine(await hostFiles()))));
afterAll(() => stack.disposeAsync());

const shell = (command: string) => machine.run('sh', '-c', command);

describe.each([...units.keys()])('%s', (name) => {
  const instance = name.replace('@', '@8001');

  test('systemd-analyze verify has nothing to say', async () => {
    expect(
      await shell(`systemd-analyze verify --man=no /etc/systemd/system/${instance} 2>&1`),
    ).toBe('');
  });

  test('systemd-analyze security says 2.0 or better', async () => {
    const path = `/etc/systemd/system/${instance}`;
    const said = await shell(
      `systemd-analyze security --offline=true --no-pager ${path} 2>&1 | tail -n 1`,
    );
    const exposure = Number(/exposure level for .+: (\d+\.\d)/.exec(said)?.[1]);
    expect(exposure).toBeLessThanOrEqual(2);
  });
});
