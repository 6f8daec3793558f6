/** Compiles assembly/optimiser.ts to dist/optimiser.wasm. Run by the root's set-up after `tsc`, which leaves dist/ in place. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
await mkdir(join(folder, 'dist'), { recursive: true });
const { error, stderr } = await asc.main(
  [
    join(folder, 'assembly', 'optimiser.ts'),
    ...['--outFile', join(folder, 'dist', 'optimiser.wasm')],
    ...['--runtime', 'stub', '--importMemory', '--enable', 'simd', '-O3', '--noAssert'],
    // The arena begins where it likes: the kernels keep no data of their own.
    ...['--memoryBase', '0'],
  ],
  {},
);
if (error) {
  process.stderr.write(`${stderr.toString()}\n`);
  throw error;
}
