import t from 'tap';
import { latencyAdvice, latencyAdviser } from '../src/servo-port.js';

t.test('a slow adapter is said to be slow, with what it costs, why, and the rule that mends it', async t => {
  const advice = latencyAdvice({ name: 'ttyUSB0', driver: 'ftdi_sio', timerMs: 16, refusal: 'EACCES' });
  t.match(advice, /ttyUSB0 \(ftdi_sio\).*16 ms \(EACCES\): no rate above 62 Hz/);
  t.match(advice, /DRIVER=="ftdi_sio", ATTR\{latency_timer\}="1"/);
});

t.test('of one that is not slow nothing is said', async t => {
  t.equal(latencyAdvice({ name: 'ttyUSB0', driver: 'ftdi_sio', timerMs: 1 }), undefined);
  t.equal(latencyAdvice({ name: 'ttyUSB0', driver: 'ch341-uart' }), undefined);
});

t.test('a slow adapter that is opened again and again is spoken of once', async t => {
  const said: string[] = [];
  const advise = latencyAdviser({ err: line => said.push(line) });
  advise({ name: 'ttyUSB0', driver: 'ftdi_sio', timerMs: 1 });
  t.same(said, []);
  for (let i = 0; i < 3; i++) advise({ name: 'ttyUSB0', driver: 'ftdi_sio', timerMs: 16 });
  t.match(said, [/ttyUSB0/]);
});
