/** A disk that does what it is told and keeps account of it, so that a test can say what a loss of power would have left (lost-power.ts). */
import { relative } from 'node:path';
import { type Disk, realDisk } from '../../src/releases/disk.js';

/** Paths are relative to the folder that is watched; '' is that folder. */
export type Operation =
  | { readonly kind: 'makeFolder' | 'sync' | 'remove'; readonly path: string }
  | { readonly kind: 'write' | 'append'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly target: string; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

export class RecordingDisk implements Disk {
  readonly operations: Operation[] = [];
  readonly #root: string;
  readonly #disk: Disk;

  constructor(root: string, disk: Disk = realDisk) {
    this.#root = root;
    this.#disk = disk;
  }

  #inside = (path: string) => {
    const inside = relative(this.#root, path);
    if (inside.startsWith('..')) throw new Error(`${path} is not inside of ${this.#root}`);
    return inside;
  };

  makeFolder(path: string): void {
    this.#disk.makeFolder(path);
    this.operations.push({ kind: 'makeFolder', path: this.#inside(path) });
  }

  write(path: string, bytes: Uint8Array): void {
    this.#disk.write(path, bytes);
    this.operations.push({ kind: 'write', path: this.#inside(path), bytes: Uint8Array.from(bytes) });
  }

  append(path: string, bytes: Uint8Array): void {
    this.#disk.append(path, bytes);
    this.operations.push({ kind: 'append', path: this.#inside(path), bytes: Uint8Array.from(bytes) });
  }

  sync(path: string): void {
    this.#disk.sync(path);
    this.operations.push({ kind: 'sync', path: this.#inside(path) });
  }

  link(target: string, path: string): void {
    this.#disk.link(target, path);
    this.operations.push({ kind: 'link', target, path: this.#inside(path) });
  }

  rename(from: string, to: string): void {
    this.#disk.rename(from, to);
    this.operations.push({ kind: 'rename', from: this.#inside(from), to: this.#inside(to) });
  }

  remove(path: string): void {
    this.#disk.remove(path);
    this.operations.push({ kind: 'remove', path: this.#inside(path) });
  }
}

/** The real one without its waiting: for what is to be looked at and not to survive. */
export const unsyncedDisk: Disk = { ...realDisk, sync: () => {} };
