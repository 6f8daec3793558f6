import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { elfHeader, stripElf } from '../../src/provision/elf.js';

/** The least ELF file that has a segment with an interpreter, a mapped one, and symbols behind both. */
function elf(wide: boolean, machine: number): Buffer {
  const [header, program] = wide ? [64, 56] : [52, 32];
  const file = Buffer.alloc(512, 0xaa);
  file.fill(0, 0, header + 2 * program);
  file.writeUInt32BE(0x7f454c46, 0);
  file[4] = wide ? 2 : 1;
  file[5] = 1;
  file.writeUInt16LE(machine, 18);
  if (wide) {
    file.writeBigUInt64LE(64n, 32);
    file.writeBigUInt64LE(400n, 40);
  } else {
    file.writeUInt32LE(52, 28);
    file.writeUInt32LE(400, 32);
  }
  const at = wide ? 52 : 40;
  for (const [i, value] of [header, program, 2, 64, 1, 0].entries()) file.writeUInt16LE(value, at + 2 * i);
  const segment = (index: number, type: number, offset: number, bytes: number) => {
    const from = header + index * program;
    file.writeUInt32LE(type, from);
    if (wide) {
      file.writeBigUInt64LE(BigInt(offset), from + 8);
      file.writeBigUInt64LE(BigInt(bytes), from + 32);
    } else {
      file.writeUInt32LE(offset, from + 4);
      file.writeUInt32LE(bytes, from + 16);
    }
  };
  segment(0, 3, 200, 8);
  file.write('/lib/ld\0', 200);
  segment(1, 1, 0, 300);
  return file;
}

for (const [wide, machine] of [
  [true, 183],
  [true, 62],
  [false, 40],
] as const)
  t.test(`an ELF file of ${wide ? 64 : 32} bits for machine ${machine}`, async t => {
    const file = elf(wide, machine);
    t.same(elfHeader(file), { machine, interpreter: '/lib/ld', mappedBytes: 300 });
    const stripped = stripElf(file);
    t.equal(stripped.length, 300, 'what no segment maps is gone');
    t.same(elfHeader(stripped), elfHeader(file), 'what is mapped stays');
    t.equal(wide ? Number(stripped.readBigUInt64LE(40)) : stripped.readUInt32LE(32), 0, 'no table of sections');
    t.equal(stripped.readUInt16LE(wide ? 60 : 48), 0, 'no sections');
    t.equal(stripped.readUInt16LE(wide ? 56 : 44), 2, 'the segments are still counted');
    t.same(stripElf(stripped), stripped, 'nothing is left to strip');
    t.equal(file.length, 512, 'the file that was given is as it was');
  });

t.test('what is no ELF file is refused', async t => {
  for (const file of [
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.from('#!/bin/sh\n'.repeat(10)),
    elf(true, 62).fill(3, 4, 5),
  ])
    t.throws(() => elfHeader(file), { code: 'E_NODE_FILE' });
});

t.test(
  'the very Node that runs this still runs once it is stripped',
  { skip: process.platform !== 'linux' && 'its Node is no ELF file' },
  async t => {
    const own = readFileSync(process.execPath);
    const stripped = stripElf(own);
    const path = join(t.testdir({}), 'node');
    writeFileSync(path, stripped);
    chmodSync(path, 0o755);
    const { stdout } = spawnSync(path, ['-p', 'process.version + [1, 2].map(x => x * 2)'], { encoding: 'utf8' });
    t.equal(stdout.trim(), `${process.version}2,4`);
    t.ok(stripped.length <= own.length);
    t.match(elfHeader(own).interpreter, /^\/lib.*ld-/);
  },
);
