import t from 'tap';
import { parseAccessList } from '../../../src/rig/broker/access-list.js';

t.test('each has what stands under its name, and nothing else', async t => {
  const may = parseAccessList(`
    # for those without a name
    topic read news/#

    user bridge
    topic read command
    topic write state
    topic readwrite both
    topic all
    topic deny all

    user dash board
    topic read with spaces/+
    topic write open/#
    topic deny open/door
  `);
  for (const [user, access, topic, allowed] of [
    ['bridge', 'read', 'command', true],
    ['bridge', 'write', 'command', false],
    ['bridge', 'write', 'state', true],
    ['bridge', 'read', 'state', false],
    ['bridge', 'read', 'both', true],
    ['bridge', 'write', 'both', true],
    ['bridge', 'read', 'all', false],
    ['bridge', 'read', 'news/today', false],
    ['dash board', 'read', 'with spaces/a', true],
    ['dash board', 'write', 'open/window', true],
    ['dash board', 'write', 'open/door', false],
    [undefined, 'read', 'news/today', true],
    [undefined, 'write', 'news/today', false],
    ['stranger', 'read', 'news/today', false],
  ] as const)
    t.equal(may(user, access, topic), allowed, `${user} ${access} ${topic}`);
});

t.test('a line that is not understood is refused, not passed over', async t => {
  for (const line of ['pattern read kit/%u', 'topic', 'user', 'allow everything'])
    t.throws(() => parseAccessList(`user a\n${line}\n`), { code: 'E_ACL_LINE', message: new RegExp(`'${line}'`) });
});
