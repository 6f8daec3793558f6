import { hostname } from 'node:os';
import t from 'tap';
import { operator } from '../../src/releases/operator.js';

t.test('who asks is a user of a machine, also where nobody knows their name', async t => {
  const { USER, USERNAME } = process.env;
  t.teardown(() => {
    for (const [key, value] of Object.entries({ USER, USERNAME }))
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
  });
  process.env.USER = 'ann';
  t.equal(operator(), `ann@${hostname()}`);
  delete process.env.USER;
  process.env.USERNAME = 'ben';
  t.equal(operator(), `ben@${hostname()}`);
  delete process.env.USERNAME;
  t.match(operator(), /^user (\d+|unknown)@/);
});
