import t from 'tap';
import { controlRequest } from '../../src/robot/ctl.js';

t.test('what is typed becomes what the service is told', async t => {
  t.same(controlRequest(['start'], undefined), { do: 'start' });
  t.same(controlRequest(['start'], '2.5'), { do: 'start', seconds: 2.5 });
  t.same(controlRequest(['stop'], undefined), { do: 'stop' });
  t.same(controlRequest(['state'], undefined), { do: 'state' });
});

t.test('all else is refused, with what can be said', async t => {
  for (const [operands, seconds] of [
    [[], undefined],
    [['dance'], undefined],
    [['start', 'stop'], undefined],
    [['start'], '-1'],
    [['start'], 'soon'],
    [['start'], '0'],
    [['stop'], '3'],
  ] as const)
    t.throws(() => controlRequest(operands, seconds), {
      code: 'E_USAGE',
      hint: /start \[--seconds N\], stop or state/,
    });
});
