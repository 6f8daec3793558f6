import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { firmwareImage } from '../../src/firmware-image.js';
import { protocolVersion } from '../../src/kitlink/frame.js';
import { firmwareFolder } from '../support/host-board.js';

const hex = readFileSync(firmwareImage, 'latin1');
const about = JSON.parse(readFileSync(firmwareImage.replace(/hex$/, 'json'), 'utf8')) as Record<string, unknown>;

/** Bytes of an Intel HEX file, record by record: written anew here, so that one reader checks the other. */
function bytesInside(text: string): number {
  let bytes = 0;
  for (const line of text.split(/\r?\n/).filter(l => l !== '')) {
    const record = Buffer.from(line.slice(1), 'hex');
    if ((record.reduce((sum, byte) => sum + byte, 0) & 255) !== 0) throw new Error(`checksum of ${line}`);
    if (record[3] === 0) bytes += record[0]!;
  }
  return bytes;
}

t.test('the committed image is the one that its description names', async t => {
  t.equal(about.sha256, createHash('sha256').update(hex, 'latin1').digest('hex'));
  t.equal(about.image, 'kitlink-atmega328p.hex');
  t.equal(bytesInside(hex), about.flashBytes);
  t.equal(about.protocolVersion, protocolVersion, 'it speaks the version of this kit');
});

t.test('it fits the part, with a bootloader and room for the stack', async t => {
  const { flashBytes, ramBytes } = about as { flashBytes: number; ramBytes: number };
  t.comment(`flash ${flashBytes} of 32256 bytes, RAM ${ramBytes} of 2048 bytes`);
  t.ok(flashBytes > 2000 && flashBytes <= 32_768 - 512);
  t.ok(ramBytes > 300 && ramBytes <= 2048 - 512);
  t.same([about.flashLimitBytes, about.ramLimitBytes], [32_256, 1536]);
});

const compiler = spawnSync('avr-gcc', ['--version'], { encoding: 'utf8' });
const installed = compiler.status === 0 ? compiler.stdout.split('\n')[0]! : 'no avr-gcc';
if (installed === about.compiler) {
  t.test('the compiler that built it builds the same bytes again', async t => {
    const out = mkdtempSync(join(tmpdir(), 'kitlink-image-'));
    const build = spawnSync('./build.sh', [out], { cwd: firmwareFolder, encoding: 'utf8' });
    t.equal(build.status, 0, build.stderr);
    const rebuilt = JSON.parse(readFileSync(join(out, 'kitlink-atmega328p.json'), 'utf8')) as Record<string, unknown>;
    if (rebuilt.libc === about.libc) {
      t.equal(readFileSync(join(out, 'kitlink-atmega328p.hex'), 'latin1') === hex, true, 'byte for byte');
      t.same(rebuilt, about);
    } else t.comment(`built with avr-libc ${about.libc}, here is ${rebuilt.libc}: the bytes may differ`);
    rmSync(out, { recursive: true });
  });
} else t.comment(`not rebuilt: the image was built by '${about.compiler}', here is '${installed}'`);
