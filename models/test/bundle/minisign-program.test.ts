/** Where the `minisign` program is installed (Debian: minisign): it and the kit read each other's keys and signatures. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { verifyMinisign } from '../../src/bundle/minisign.js';
import { parsePublicKey, publicKeyFile } from '../../src/bundle/minisign-public-key.js';
import { openSecretKey, secretKeyFile } from '../../src/bundle/minisign-secret-key.js';
import { signMinisign } from '../../src/bundle/minisign-sign.js';
import { sequenceComment, sequenceOf } from '../../src/bundle/sequence.js';
import { cheapLimits, noPassword, type TestKey, testKey } from './cheap-key.js';
import { message } from './minisign-vectors.js';

const installed = spawnSync('minisign', ['-v']).status === 0;
const password = 'pass wörd';

/** A folder with the message in it, and minisign run there; what it asks for comes from its standard input. */
function inFolder(t: Test) {
  const folder = t.testdir({ 'policy.json': message.toString() });
  const path = (name: string) => join(folder, name);
  return {
    minisign(args: string, typed = '') {
      const { status, stdout, stderr } = spawnSync('minisign', args.split(' '), {
        cwd: folder,
        encoding: 'utf8',
        input: typed,
      });
      t.equal(status, 0, `minisign ${args}: ${stderr}`);
      return stdout;
    },
    fails: (args: string, typed = '') =>
      t.not(spawnSync('minisign', args.split(' '), { cwd: folder, input: typed }).status, 0, `minisign ${args}`),
    read: (name: string) => readFileSync(path(name), 'utf8'),
    write(name: string, text: string) {
      writeFileSync(path(name), text);
      chmodSync(path(name), 0o600);
    },
  };
}

if (!installed) t.comment('minisign is not installed: agreement with it is tested by what it wrote elsewhere');
else {
  t.test('its keys and signatures are taken', async t => {
    const { minisign, read } = inFolder(t);
    minisign('-G -W -p key.pub -s key.sec');
    minisign('-S -s key.sec -m policy.json');
    const verified = verifyMinisign(message, read('policy.json.minisig'), [read('key.pub')]);
    t.match(verified.trustedComment, /^timestamp:\d+\tfile:policy\.json\thashed$/);
    t.ok(Math.abs(sequenceOf(verified.trustedComment) - Date.now()) < 3_600_000, 'its time is ours');
    t.throws(() => verifyMinisign(Buffer.from('other'), read('policy.json.minisig'), [read('key.pub')]), {
      code: 'E_SIGNATURE_WRONG',
    });
    const opened = await openSecretKey(read('key.sec'), noPassword);
    t.strictSame(opened.publicKey, parsePublicKey(read('key.pub')));
    minisign('-S -l -s key.sec -m policy.json');
    t.throws(() => verifyMinisign(message, read('policy.json.minisig'), [read('key.pub')]), {
      code: 'E_SIGNATURE_LEGACY',
    });
  });

  t.test('our signatures are taken by it, comment and all, and refused where anything was changed', async t => {
    const { minisign, fails, write } = inFolder(t);
    const key = testKey();
    const signature = signMinisign(message, key, sequenceComment(1_700_000_000_001));
    write('policy.json.minisig', signature);
    write('key.pub', publicKeyFile(key.publicKey));
    t.match(minisign('-V -p key.pub -m policy.json'), /Trusted comment: sequence:1700000000001\tfile:policy\.json/);
    minisign(`-V -P ${key.line} -m policy.json`);
    write('policy.json.minisig', signature.replace('001\t', '002\t'));
    fails('-V -p key.pub -m policy.json');
    write('policy.json.minisig', signature);
    write('policy.json', `${message} `);
    fails('-V -p key.pub -m policy.json');
  });

  t.test('it signs with a key of ours, encrypted or not, and finds the same public key in it', async t => {
    const { minisign, fails, read, write } = inFolder(t);
    // One id begins with zeros: minisign leaves them out of the comment above the key.
    const ids = ['000000000000ABCD', 'FEDCBA9876543210'];
    const [plain, encrypted] = ids.map(id => testKey(id)) as [TestKey, TestKey];
    for (const [key, file, typed] of [
      [plain, await secretKeyFile(plain, undefined), ''],
      [encrypted, await secretKeyFile(encrypted, password, cheapLimits), `${password}\n`],
    ] as const) {
      write('key.sec', file);
      minisign('-R -f -s key.sec -p key.pub', typed);
      t.strictSame(parsePublicKey(read('key.pub')), key.publicKey);
      minisign('-S -s key.sec -m policy.json', typed);
      t.equal(verifyMinisign(message, read('policy.json.minisig'), [key.line]).keyId, key.id);
    }
    fails('-S -s key.sec -m policy.json', 'wrong\n');
  });

  t.test('with a password and the full cost each opens what the other has encrypted', async t => {
    const { minisign, read, write } = inFolder(t);
    minisign('-G -p key.pub -s key.sec', `${password}\n${password}\n`);
    const opened = await openSecretKey(read('key.sec'), async () => password);
    t.strictSame(opened.publicKey, parsePublicKey(read('key.pub')));
    write('key.sec', await secretKeyFile(opened, password));
    minisign('-S -s key.sec -m policy.json', `${password}\n`);
    t.equal(verifyMinisign(message, read('policy.json.minisig'), [read('key.pub')]).keyId, opened.publicKey.id);
  });
}
