/** `kit keys` as a person types it: from a new key to a robot that takes what it has signed, and to another key. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { openSecretKey } from '@sim2servo/models/bundle/minisign-secret-key';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { policyCopy, putKey, robotCopy, useKeyFolder } from '../keys/key-folder.js';
import { errorOf, kit } from '../test-io.js';

/** What a robot says of a bundle: its code, or who has signed it. */
function taken(robot: string, policy: string): string {
  try {
    return loadBundle(policy, expectationOf(loadRobot(robot))).signature?.keyId ?? 'unsigned';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

t.test('a key is made with a password that is asked for twice, and opens with it', async t => {
  const folder = useKeyFolder(t);
  t.match(await kit('keys list'), { exit: 0, out: `no keys in ${folder}\nnext: kit keys new NAME` });
  const made = await kit('keys new desk', undefined, ['correct horse', 'correct horse']);
  t.equal(made.exit, 0, made.err);
  t.match(made.out, /^made key [0-9A-F]{16}\nsecret {2}.*desk\.key\npublic .*desk\.pub\n {8}RW\S{54}\nkeep a copy/);
  t.match(made.out, /next: kit keys trust desk --robot FOLDER$/);
  t.match(made.err, /Password for the new key 'desk'.*\n.*once more.*\n.*some seconds, on purpose/);
  const secret = readFileSync(join(folder, 'desk.key'), 'utf8');
  const { publicKey } = await openSecretKey(secret, async () => 'correct horse');
  t.match(made.out, publicKey.id);
  t.match((await kit('keys list')).out, new RegExp(`^desk {2}${publicKey.id} {2}encrypted$`));
  t.notMatch(made.out + made.err, /correct horse/);
});

t.test('a key without a password says what that means; as JSON it is one value', async t => {
  useKeyFolder(t);
  t.match(await kit('keys new desk --no-password'), { exit: 0, out: /not encrypted: whoever can read it can sign/ });
  const made = await kit('keys new lab --no-password --json');
  t.match(JSON.parse(made.out), { name: 'lab', id: /^[0-9A-F]{16}$/, publicKey: /^RW/, encrypted: false });
  t.match(errorOf(await kit('keys new lab --no-password --json')), { code: 'E_KEY_EXISTS' });
  const unasked = await kit('keys new third --json');
  t.equal(unasked.exit, 2);
  t.match(errorOf(unasked), { code: 'E_KEY_PASSWORD_UNSAID', hint: /KIT_KEY_PASSWORD/ });
});

t.test('a robot that trusts a key takes what it has signed, and nothing else', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const { id, line } = await putKey(folder, 'desk', 'correct horse');
  const [policy, robot] = [policyCopy(join(folder, '..')), robotCopy(join(folder, '..'))];
  t.equal(taken(robot, policy), 'unsigned');
  t.match(await kit(`keys list --robot ${robot}`), { out: 'so101 trusts no key: it takes unsigned policies' });
  const trusted = await kit(`keys trust desk --robot ${robot}`);
  t.match(trusted, { exit: 0, out: new RegExp(`^so101 trusts key ${id}, 1 in all; unsigned policies are refused\n`) });
  t.match(trusted.out, /the old file is .*site\.json\.bak\nnext: kit keys sign/);
  t.match(await kit(`keys trust ${line} --robot ${robot}`), { out: /trusted already/ });
  t.match(await kit(`keys list --robot ${robot}`), { out: `trusted  ${id}  (desk)` });
  t.equal(taken(robot, policy), 'E_BUNDLE_UNSIGNED');
  const refused = await kit(`deploy ${policy} --to ${join(folder, '..', 'store')} --robot ${robot} --json`);
  t.match(errorOf(refused), { code: 'E_BUNDLE_UNSIGNED', hint: `sign it: kit keys sign ${policy} --key NAME` });

  t.match(await kit(`keys sign ${policy} --key desk`, undefined, ['wrong']), {
    exit: 2,
    err: /not the password of the key\n.*\[E_KEY_PASSWORD\]/,
  });
  const signed = await kit(`keys sign ${policy} --key desk`, undefined, ['correct horse']);
  t.match(signed, {
    exit: 0,
    out: new RegExp(`^signed \\w{12}… with key ${id} \\(desk\\), sequence \\d{13}\nnext: kit deploy`),
  });
  t.equal(taken(robot, policy), id);
  t.match(
    (await kit(`inspect ${policy}`)).out,
    new RegExp(`\nsigned {8}with key ${id} \\(desk\\), sequence \\d{13}\n`),
  );
  t.match(await kit(`deploy ${policy} --to ${join(folder, '..', 'store')} --robot ${robot}`), { exit: 0 });
});

t.test('keys are exchanged: after that the old one counts no more, and the policy is signed again', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const [old, next] = [await putKey(folder, 'old'), await putKey(folder, 'next')];
  const [policy, robot] = [policyCopy(join(folder, '..')), robotCopy(join(folder, '..'))];
  const all = async (...lines: string[]) => {
    for (const line of lines) t.equal((await kit(line)).exit, 0, line);
  };
  await all(`keys trust old --robot ${robot}`, `keys sign ${policy} --key old`, `keys trust next --robot ${robot}`);
  t.equal(taken(robot, policy), old.id, 'while both are trusted nothing stops');
  const revoked = await kit(`keys revoke ${old.id} --robot ${robot}`);
  t.match(revoked, { exit: 0, out: new RegExp(`so101 refuses whatever key ${old.id} has signed`) });
  t.match(revoked.out, /next: kit keys sign BUNDLE --key NAME, and deploy it again$/);
  t.equal(taken(robot, policy), 'E_SIGNATURE_REVOKED');
  await all(`keys sign ${policy} --key next`);
  t.equal(taken(robot, policy), next.id);
  t.match(errorOf(await kit(`keys trust old --robot ${robot} --json`)), { code: 'E_KEY_REVOKED' });
  t.match(await kit(`keys list --robot ${robot}`), { out: `trusted  ${next.id}  (next)\nrevoked  ${old.id}  (old)` });

  const last = await kit(`keys revoke next --robot ${robot}`);
  t.match(last.out, /no trusted key is left, so nothing can be run: kit keys trust NAME --robot/);
  t.equal(taken(robot, policy), 'E_SIGNATURE_REVOKED');
  rmSync(join(policy, 'policy.json.minisig'));
  t.equal(taken(robot, policy), 'E_BUNDLE_UNSIGNED', 'without any key it does not fall back to trusting everybody');
  t.match(await kit(`keys revoke 68D5695585BA7167 --robot ${robot}`), { out: /was not among its trusted ones/ });
  t.match(await kit(`keys revoke 68D5695585BA7167 --robot ${robot}`), { out: /refused already/ });
});

t.test(
  'keys are exchanged while a policy lies on the robot: signed by the new one and deployed again, it outlives the old one',
  async t => {
    const folder = useKeyFolder(t);
    mkdirSync(folder);
    const [old, next] = [await putKey(folder, 'old'), await putKey(folder, 'next')];
    const [policy, robot] = [policyCopy(join(folder, '..')), robotCopy(join(folder, '..'))];
    const store = join(folder, '..', 'store');
    const current = join(store, 'current');
    const all = async (...lines: string[]) => {
      for (const line of lines) t.equal((await kit(line)).exit, 0, line);
    };
    const deploy = `deploy ${policy} --to ${store} --robot ${robot} --yes`;
    await all(deploy, `keys sign ${policy} --key old`, deploy, `keys trust old --robot ${robot}`);
    t.equal(taken(robot, current), old.id, 'deployed without a signature, signed later');
    await all(`keys trust next --robot ${robot}`, `keys sign ${policy} --key next`, deploy);
    t.same(readdirSync(join(store, 'releases')).length, 1, 'nothing is left beside it');
    await all(`keys revoke ${old.id} --robot ${robot}`);
    t.equal(taken(robot, current), next.id);
  },
);

t.test('a clock that was wrong once does not shut a robot for ever', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  await putKey(folder, 'desk');
  const policy = policyCopy(t.testdirName);
  const ahead = Date.now() + 73 * 365 * 86_400_000;
  const signed = await kit(`keys sign ${policy} --key desk --after ${ahead}`);
  t.match(signed, { exit: 0, out: new RegExp(`sequence ${ahead + 1}, 26645 days ahead of this clock`) });
  t.notMatch(
    (await kit(`keys sign ${policyCopy(join(t.testdirName, 'other'))} --key desk --after 1 --json`)).out,
    'ahead',
  );
  for (const wrong of ['-1', 'new', '9007199254740993'])
    t.equal((await kit(['keys', 'sign', policy, '--key', 'desk', '--after', wrong])).exit, 2, wrong);
});

t.test('nobody is asked for a password for what cannot be signed', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  await putKey(folder, 'desk', 'correct horse');
  const policy = policyCopy(join(folder, '..'));
  writeFileSync(join(policy, 'notes.txt'), '');
  for (const [bundle, code] of [
    [policy, 'E_BUNDLE_EXTRA'],
    [folder, 'E_BUNDLE_MISSING'],
  ] as const) {
    const said = await kit(`keys sign ${bundle} --key desk --json`, undefined, []);
    t.equal(errorOf(said).code, code);
    t.notMatch(said.err, /Password/);
  }
});

t.test('a robot that ships is copied, not changed', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  await putKey(folder, 'desk');
  t.match(errorOf(await kit('keys trust desk --robot so101 --json')), { code: 'E_SHIPPED_ROBOT', hint: /--out/ });
  const copy = join(folder, '..', 'copy');
  t.match(await kit(`keys trust desk --robot so101 --out ${copy}`), { exit: 0 });
  t.equal(loadRobot(copy).site.trustedKeys.length, 1);
  t.same(loadRobot('so101').site.trustedKeys, []);
});

t.test('wrong words are answered with the right ones', async t => {
  const folder = useKeyFolder(t);
  const robot = robotCopy(join(folder, '..'));
  const policy = policyCopy(join(folder, '..'));
  for (const [line, code] of [
    [`keys sign ${policy} --key desk`, 'E_KEY_UNKNOWN'],
    [`keys sign ${robot} --key desk`, 'E_BUNDLE_MISSING'],
    [`keys sign ${policy}`, 'E_USAGE'],
    [`keys trust desk --robot ${robot}`, 'E_KEY_UNKNOWN'],
    ['keys trust desk', 'E_USAGE'],
    [`keys revoke desk --robot ${robot}`, 'E_KEY_UNKNOWN'],
    ['keys new a/b --no-password', 'E_KEY_NAME'],
    ['keys make desk', 'E_USAGE'],
    [`inspect ${robot}`, 'E_BUNDLE_MISSING'],
  ] as const) {
    const said = await kit(`${line} --json`);
    t.equal(said.exit, 2, line);
    t.equal(errorOf(said).code, code, line);
  }
  t.match(await kit('keys --help'), { out: /KIT_KEYS[\s\S]*KIT_KEY_PASSWORD/ });
});

t.test('who has signed is shown of a key that is not here, as what it is: a claim', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const { id } = await putKey(folder, 'desk');
  const policy = policyCopy(join(folder, '..'));
  t.match(await kit(`inspect ${policy}`), {
    exit: 0,
    out: /\nsigned {8}by nobody\n[\s\S]*\nruntime {7}0\.1\.0 or later\n/,
  });
  t.equal((await kit(`keys sign ${policy} --key desk`)).exit, 0);
  t.match(JSON.parse((await kit(`inspect ${policy} --json`)).out), {
    signedBy: { keyId: id, name: 'desk' },
    signature: { keyId: id, sequence: Number },
  });
  cpSync(folder, `${folder}-elsewhere`, { recursive: true });
  process.env.KIT_KEYS = join(folder, 'none');
  t.match(await kit(`inspect ${policy}`), {
    exit: 0,
    out: new RegExp(`signed {8}with key ${id}, so it says; it is none of yours`),
  });
  writeFileSync(join(policy, 'policy.json.minisig'), 'x');
  t.match(errorOf(await kit(`inspect ${policy} --json`)), { code: 'E_SIGNATURE_FORMAT' });
});

if (spawnSync('minisign', ['-v']).status === 0)
  t.test('minisign verifies what was signed here, with the .pub file that lies here', async t => {
    const folder = useKeyFolder(t);
    t.equal((await kit('keys new desk --no-password')).exit, 0);
    const policy = policyCopy(join(folder, '..'));
    t.equal((await kit(`keys sign ${policy} --key desk`)).exit, 0);
    const args = ['-V', '-p', join(folder, 'desk.pub'), '-m', join(policy, 'policy.json')];
    const { status, stdout, stderr } = spawnSync('minisign', args, { encoding: 'utf8' });
    t.equal(status, 0, stderr);
    t.match(stdout, /Trusted comment: sequence:\d{13}\tfile:policy\.json/);
  });
