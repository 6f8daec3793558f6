import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import type { CommandContext } from '../../src/command-context.js';
import { newPassword, passwordOf, passwordVariable } from '../../src/keys/key-password.js';
import { useKeyFolder } from './key-folder.js';

/** A person who answers with these, one after the other; nobody where there are none. */
function person(t: Test, ...answers: string[]) {
  useKeyFolder(t);
  const asked: string[] = [];
  const context: CommandContext = {
    io: {
      out: () => {},
      err: () => {},
      live: false,
      ask: async () => undefined,
      line: async () => t.fail('a password is not asked for in sight') as unknown as undefined,
      secret: async question => {
        asked.push(question);
        return answers.shift();
      },
      keys: Readable.from([]),
    },
    json: false,
    signal: new AbortController().signal,
    interrupt: () => {},
    result: () => {},
    report: () => {},
    exit: () => {},
  };
  return { asked, context };
}

t.test('a person is asked for the password of a key once, and by its name', async t => {
  const { asked, context } = person(t, ' pass wörd ');
  t.equal(await passwordOf('desk', context), ' pass wörd ');
  t.same(asked, ["Password of the key 'desk': "]);
});

t.test('a new one is asked for twice, and both must agree', async t => {
  const agreed = person(t, 'x', 'x');
  t.equal(await newPassword('desk', agreed.context), 'x');
  t.equal(agreed.asked.length, 2);
  await t.rejects(newPassword('desk', person(t, 'x', 'y').context), { code: 'E_KEY_PASSWORD_TWICE', exit: 'usage' });
});

t.test('an empty password is none', async t => {
  const { asked, context } = person(t, '');
  await t.rejects(newPassword('desk', context), { code: 'E_KEY_PASSWORD_EMPTY', hint: /--no-password/ });
  t.equal(asked.length, 1);
});

t.test('where nobody is there the environment says it, and nobody is asked', async t => {
  const { asked, context } = person(t);
  for (const ask of [passwordOf, newPassword])
    await t.rejects(ask('desk', context), { code: 'E_KEY_PASSWORD_UNSAID', hint: new RegExp(passwordVariable) });
  asked.length = 0;
  process.env[passwordVariable] = 'from afar';
  t.teardown(() => delete process.env[passwordVariable]);
  t.equal(await passwordOf('desk', context), 'from afar');
  t.equal(await newPassword('desk', context), 'from afar');
  t.same(asked, []);
  process.env[passwordVariable] = '';
  await t.rejects(newPassword('desk', context), { code: 'E_KEY_PASSWORD_EMPTY' });
});
