import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { brokerKinds, brokerNamed, startBroker } from '../../../src/rig/broker/start-broker.js';

t.test('the kind of broker is the one that is named, and a wrong name is refused', async t => {
  t.equal(brokerNamed('embedded'), 'embedded');
  t.equal(brokerNamed(undefined), brokerKinds.includes('mosquitto') ? 'mosquitto' : 'embedded');
  for (const name of ['aedes', ''])
    t.throws(() => brokerNamed(name), {
      code: 'E_BROKER_KIND',
      exit: 'usage',
      message: new RegExp(`KIT_BROKER is '${name}', and this machine has: embedded`),
    });
});

for (const kind of brokerKinds)
  t.test(`a broker that does not come up is told of, in its own words (${kind})`, async t => {
    const file = join(t.testdir({}), 'no.pem');
    writeFileSync(file, 'no certificate');
    await t.rejects(startBroker({ tls: { ca: file, cert: file, key: file } }, kind), {
      code: 'E_BROKER_START',
      message: /the broker on port \d+ ended with [1-9]\d*: [\s\S]*(?:PEM|certificate)/,
    });
  });

t.test('a line of an access list that the embedded broker has no word for is shown', async t => {
  await t.rejects(startBroker({ acl: 'pattern read a/%u' }, 'embedded'), {
    code: 'E_BROKER_START',
    message: /the access list has the line 'pattern read a\/%u'/,
  });
});
