import t from 'tap';
import { joinedTrust, revoking, type Trust, trusting } from '../../src/bundle/trust.js';
import { testKey } from './cheap-key.js';

const [key, other] = [testKey(), testKey()];
const nobody: Trust = { trustedKeys: [], revokedKeys: [] };

t.test('a key is trusted once, however often it is said', async t => {
  const once = trusting(nobody, key.publicKey);
  t.same(once, { trustedKeys: [key.line], revokedKeys: [] });
  t.same(trusting(once, key.publicKey), once);
  t.same(trusting(once, other.publicKey).trustedKeys, [key.line, other.line]);
});

t.test('a revoked key goes from the trusted ones, and does not come back', async t => {
  const both = trusting(trusting(nobody, key.publicKey), other.publicKey);
  const left = revoking(both, key.id);
  t.same(left, { trustedKeys: [other.line], revokedKeys: [key.id] });
  t.same(revoking(left, key.id), left);
  t.throws(() => trusting(left, key.publicKey), { code: 'E_KEY_REVOKED', exit: 'usage', hint: /kit keys new/ });
  t.same(revoking(nobody, key.id).revokedKeys, [key.id], 'also before anybody has trusted it');
});

t.test('an impostor of the same id goes with it', async t => {
  const impostor = testKey(key.id);
  const both = trusting(trusting(nobody, key.publicKey), impostor.publicKey);
  t.equal(both.trustedKeys.length, 2);
  t.same(revoking(both, key.id).trustedKeys, []);
});

t.test('of two who say whom a robot trusts, whoever revokes is right', async t => {
  const one = trusting(nobody, key.publicKey);
  const two = trusting(revoking(nobody, key.id), other.publicKey);
  const joined = { trustedKeys: [other.line], revokedKeys: [key.id] };
  t.same(joinedTrust(one, two), joined);
  t.same(joinedTrust(two, one), joined);
  t.same(joinedTrust(two, nobody), two, 'who says nothing takes nothing away');
  t.same(joinedTrust(one, trusting(one, other.publicKey)).trustedKeys, [key.line, other.line]);
});
