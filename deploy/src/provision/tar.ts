/**
 * Reading and writing tar archives (POSIX ustar), as much of it as we need: regular files of at most 8 GB. Written here so that an archive
 * is the same on every training box, and carries neither its user nor its clock.
 */
import { KitError } from '@sim2servo/models/error';

const block = 512;

export interface TarFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

const padding = (bytes: number) => (block - (bytes % block)) % block;

function headerOf({ path, content, executable }: TarFile): Buffer {
  const header = Buffer.alloc(block);
  if (Buffer.byteLength(path) > 100)
    throw new KitError('E_TAR_NAME', `the path ${path} is longer than 100 bytes`, 'shorten it', 'bug');
  header.write(path, 0);
  const octal = (value: number, at: number, digits: number) =>
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at);
  octal(executable ? 0o755 : 0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(content.length, 124, 11);
  octal(0, 136, 11);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  return header;
}

/** The parts of an archive, one after the other, ready to be compressed. */
export function* writeTar(files: Iterable<TarFile>): Generator<Buffer> {
  for (const file of files) {
    yield headerOf(file);
    yield file.content;
    yield Buffer.alloc(padding(file.content.length));
  }
  yield Buffer.alloc(2 * block);
}

/** @returns the content of the file at `path`; undefined where the archive has none */
export function fileInTar(archive: Buffer, path: string): Buffer | undefined {
  for (let at = 0; at + block <= archive.length && archive[at] !== 0; ) {
    const header = archive.subarray(at, at + block);
    const text = (from: number, bytes: number) => {
      const field = header.subarray(from, from + bytes);
      const end = field.indexOf(0);
      return field.toString('utf8', 0, end < 0 ? bytes : end);
    };
    const bytes = Number.parseInt(text(124, 12), 8);
    if (!(bytes >= 0)) throw new KitError('E_TAR', `the archive is damaged at byte ${at}`, 'fetch it again');
    const prefix = text(345, 155);
    const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    const from = at + block;
    if (name === path) return archive.subarray(from, from + bytes);
    at = from + bytes + padding(bytes);
  }
  return undefined;
}
