/**
 * Lets a run learn on where the disk is full or can't be written: what could not be saved is said once, tried again the next time, and
 * remembered for the end.
 */
import { messageOf } from '@sim2servo/models/error';

/** What a file system answers when it won't take a file; anything else is a mistake of ours. */
const storageErrors = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'EFBIG',
  'ENOENT',
  'EISDIR',
  'ENOTDIR',
]);

export class StorageGuard {
  readonly #onWarning: (warning: string) => void;
  readonly #warned = new Set<string>();
  readonly #unsaved = new Set<string>();

  constructor(onWarning: (warning: string) => void) {
    this.#onWarning = onWarning;
  }

  /** @param what  for people: `the checkpoint` */
  save(what: string, write: () => void): void {
    try {
      write();
      this.#unsaved.delete(what);
    } catch (error) {
      if (!isOfStorage(error)) throw error;
      this.#unsaved.add(what);
      if (this.#warned.has(what)) return;
      this.#warned.add(what);
      this.#onWarning(`can't save ${what}: ${messageOf(error)}; training goes on, and tries again`);
    }
  }

  /** What was not saved when it was last tried. */
  get unsaved(): readonly string[] {
    return [...this.#unsaved];
  }
}

/** By its code, or by that of what it was thrown for. */
function isOfStorage(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  return storageErrors.has(code ?? '') || (cause !== undefined && isOfStorage(cause));
}
