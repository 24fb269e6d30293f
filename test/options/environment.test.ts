import { expect, test } from 'vitest';
import { unknownVariables, warnOfUnknownVariables } from '../../src/options/environment.ts';
import { recordedLog } from '../support/recorded-log.ts';

test('only variables that begin with ROLLCALL_ and are no option are unknown', () => {
  const environment = {
    ...{ PATH: '/bin', ROLLCALLS: 'x', ROLLCALL_TTL: '5s', ROLLCALL_CONFIRM_LISTEN: '8079' },
    ...{ ROLLCALL_SERVICE: 'web=/test', ROLLCALL_BACKENDS: '-', ROLLCALL_HOLD_ABOVE: '50%' },
    ...{ ROLLCALL_TLL: '5s', ROLLCALL_PORT_8080_TCP: 'tcp://10.0.0.1:8080' },
  };
  expect(unknownVariables(environment)).toEqual(['ROLLCALL_TLL', 'ROLLCALL_PORT_8080_TCP']);
});

test('each is named in a warning', () => {
  const { log, lines, fields } = recordedLog();
  warnOfUnknownVariables({ ROLLCALL_TLL: '5s' }, log);
  expect(lines).toEqual(['warn this variable is no option of rollcall: ignored']);
  expect(fields()).toEqual({ variable: 'ROLLCALL_TLL' });
});

test('an option of one run is no variable: it would be ignored, so it is unknown', () => {
  const ofOneRun = ['ROLLCALL_WAIT', 'ROLLCALL_FORCE', 'ROLLCALL_REASON', 'ROLLCALL_IN_ROTATION'];
  const others = ['ROLLCALL_KEY', 'ROLLCALL_DRAIN_UNTIL', 'ROLLCALL_BALANCERS', 'ROLLCALL_TIMEOUT'];
  const all = Object.fromEntries([...ofOneRun, ...others].map((name) => [name, 'x']));
  expect(unknownVariables(all)).toEqual(ofOneRun);
});
