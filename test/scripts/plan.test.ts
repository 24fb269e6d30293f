import { expect, test } from 'vitest';
import { planSetup } from '../../scripts/setup/plan.mjs';
import { programs } from '../../scripts/setup/programs.mjs';

const ready = {
  missing: [],
  root: false,
  apt: false,
  docker: false,
  modulesCurrent: true,
  distCurrent: true,
};
const nginx = programs.filter(({ name }) => name === 'nginx');

test.each([
  { root: false, apt: false, docker: false },
  { root: false, apt: true, docker: true },
  { root: true, apt: true, docker: true },
])('where nothing is missing nothing is done, whoever runs it: %o', (who) => {
  expect(planSetup({ ...ready, ...who })).toEqual([{ do: 'run' }]);
});

test('missing programs are installed for root where there is apt-get', () => {
  const facts = { ...ready, missing: nginx, root: true, apt: true, docker: true };
  expect(planSetup(facts)).toEqual([{ do: 'install programs', missing: nginx }, { do: 'run' }]);
});

test('missing modules are installed, and the code compiled against them', () => {
  expect(planSetup({ ...ready, modulesCurrent: false })).toEqual([
    { do: 'install modules' },
    { do: 'build' },
    { do: 'run' },
  ]);
});

test('code that is newer than what was compiled is compiled', () => {
  expect(planSetup({ ...ready, distCurrent: false })).toEqual([{ do: 'build' }, { do: 'run' }]);
});

test.each([
  { root: false, apt: true },
  { root: true, apt: false },
])('who cannot install runs in a container, and the checkout is left alone: %o', (who) => {
  const facts = { ...ready, ...who, missing: nginx, docker: true, modulesCurrent: false };
  expect(planSetup(facts)).toEqual([{ do: 'run in container' }]);
});

test('without an engine either, the packages are named', () => {
  const [only, ...others] = planSetup({ ...ready, missing: programs, apt: true });
  expect(others).toEqual([]);
  expect(only).toMatchObject({
    do: 'refuse',
    why: expect.stringContaining('etcd-server etcd-client nginx apache2-bin'),
  });
});
