import fc from 'fast-check';
import t from 'tap';
import {
  baudRates,
  decodeRegister,
  encodeRegister,
  type Register,
  registerBytes,
  sts3215,
  tableBytes,
} from '../../src/feetech/registers.js';
import { bytesOf, feetechVectors, hexOf } from '../support/vectors.js';

const registers = Object.entries<Register>(sts3215);

t.test('registers are read and written as the vectors say', async t => {
  for (const { register: name, bytes, is } of feetechVectors.fields) {
    const register = sts3215[name as keyof typeof sts3215];
    t.equal(decodeRegister(register, bytesOf(bytes), 0), is, `${name} ${bytes}`);
    t.equal(hexOf(registerBytes(register, is)), bytes, `${name} = ${is}`);
  }
});

t.test('no two registers lie on one another, and all lie in the table', async t => {
  const owner = new Map<number, string>();
  for (const [name, { address, bytes }] of registers)
    for (let at = address; at < address + bytes; at++) {
      t.notOk(owner.has(at), `${name} at ${at}${owner.has(at) ? `, where ${owner.get(at)} is` : ''}`);
      t.ok(at < tableBytes);
      owner.set(at, name);
    }
});

t.test('every value that a register can say comes back', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...registers), fc.integer({ min: -70_000, max: 70_000 }), ([, register], value) => {
      const most = 2 ** (register.signBit ?? 8 * register.bytes) - 1;
      const least = register.signBit === undefined ? 0 : -most;
      const buffer = new Uint8Array(4);
      encodeRegister(register, value, buffer, 1);
      const back = decodeRegister(register, buffer, 1);
      // `+ 0`: minus zero is zero.
      return back + 0 === Math.max(least, Math.min(most, value)) + 0 && buffer[0] === 0 && buffer[3] === 0;
    }),
  );
});

t.test('baud rates are those on whose index Feetech and LeRobot agree', async t => {
  t.same(baudRates, [1_000_000, 500_000, 250_000, 128_000, 115_200]);
});
