/**
 * What may be on a disk when its power fails: a model of a file system that knows what was synced and what was not, and lists every state that
 * may be found afterwards.
 *
 * The model promises less than any one file system does, so that what holds in it holds on ext4, btrfs, XFS and F2FS alike:
 *
 * - What `fsync` of a file covered is there: its bytes, not its name. What `fsync` of a folder covered is there: its names, not what is in
 *   the files (POSIX fsync; fsync(2): "does not necessarily ensure that the entry in the directory containing the file has also reached disk").
 * - A file's bytes that were not synced may all be there, none of them, or as many as came until some block or byte; and the file may have its
 *   new length with zeros in the place of what never came (delayed allocation).
 * - Each change of a folder that was not synced (a name that came, went or was renamed) may be there or not, each for itself: later ones
 *   without earlier ones, those of one folder without those of another. Removing a folder with what is in it is many changes.
 * - A rename within a folder is one change: the name leads to the old file or to the new one. One from folder to folder is not used.
 * - A link and its target come together: file systems keep a short target in what they journal.
 *
 * @see Pillai et al., "All File Systems Are Not Created Equal: On the Complexity of Crafting Crash-Consistent Applications", OSDI 2014 (ALICE)
 * @see Chidambaram et al., "Optimistic Crash Consistency", SOSP 2013 (OptFS)
 * @see Mohan et al., "Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing", OSDI 2018 (CrashMonkey; btrfs, F2FS)
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Operation } from './recording-disk.js';

interface FileNode {
  readonly kind: 'file';
  /** How many of its bytes are synced; what is written is only added to. */
  synced: number;
  bytes: Uint8Array;
}
interface LinkNode {
  readonly kind: 'link';
  readonly target: string;
}
type Change = ReadonlyMap<string, DiskNode | undefined>;
interface FolderNode {
  readonly kind: 'folder';
  synced: Map<string, DiskNode>;
  /** In their order. */
  pending: Change[];
}
type DiskNode = FileNode | LinkNode | FolderNode;

/** What is found after a loss of power. */
export type Found = Uint8Array | { readonly target: string } | FoundFolder;
export interface FoundFolder {
  readonly entries: ReadonlyMap<string, Found>;
}

/** More than these after one operation is a store that syncs too seldom, or a model that got out of hand. */
const mostStates = 20_000;

export class LostPower {
  readonly #root: FolderNode;

  private constructor(root: FolderNode) {
    this.#root = root;
  }

  /** Begins with what lies in `folder`, all of it synced. */
  static after(folder: string): LostPower {
    return new LostPower(syncedFolder(folder));
  }

  /** Begins with what was found. */
  static afterFound(found: FoundFolder): LostPower {
    return new LostPower(asNode(found) as FolderNode);
  }

  /** @returns whether it made anything durable that was not: false for every operation but a sync */
  do(operation: Operation): boolean {
    if (operation.kind === 'sync') return this.#sync(operation.path);
    if (operation.kind === 'rename') {
      const { from, to } = operation;
      if (dirname(from) !== dirname(to)) throw new Error(`${from} is renamed into another folder`);
      this.#change(from, [
        [basename(from), undefined],
        [basename(to), this.#at(from)],
      ]);
    } else if (operation.kind === 'remove') this.#remove(operation.path);
    else if (operation.kind === 'append' && this.#at(operation.path) !== undefined) {
      const file = this.#at(operation.path) as FileNode;
      file.bytes = Buffer.concat([file.bytes, operation.bytes]);
    } else this.#change(operation.path, [[basename(operation.path), nodeOf(operation)]]);
    return false;
  }

  /** What is there while nothing is lost. */
  now(): FoundFolder {
    const all = (node: DiskNode): Found => {
      if (node.kind === 'file') return node.bytes;
      if (node.kind === 'link') return { target: node.target };
      return {
        entries: new Map(
          [...namesIn(node)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, all(inner)]),
        ),
      };
    };
    return all(this.#root) as FoundFolder;
  }

  /** Every state that may be found. */
  found(): FoundFolder[] {
    const states = statesOf(this.#root) as FoundFolder[];
    if (states.length > mostStates) throw new Error(`${states.length} states`);
    return states;
  }

  #at(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root;
    for (const name of path.split('/').filter(part => part !== ''))
      node = node?.kind === 'folder' ? namesIn(node).get(name) : undefined;
    return node;
  }

  #change(path: string, entries: [string, DiskNode | undefined][]): void {
    const folder = this.#at(dirname(path) === '.' ? '' : dirname(path));
    if (folder?.kind !== 'folder') throw new Error(`${path} lies in no folder`);
    folder.pending.push(new Map(entries));
  }

  #remove(path: string): void {
    const node = this.#at(path);
    if (node === undefined) return;
    if (node.kind === 'folder') for (const name of namesIn(node).keys()) this.#remove(join(path, name));
    this.#change(path, [[basename(path), undefined]]);
  }

  #sync(path: string): boolean {
    const node = this.#at(path);
    if (node?.kind === 'file') {
      const useful = node.synced !== node.bytes.length;
      node.synced = node.bytes.length;
      return useful;
    }
    if (node?.kind !== 'folder') throw new Error(`nothing to sync at ${path}`);
    // Locks need not last.
    const useful = node.pending.some(change => [...change.keys()].some(name => !name.includes('lock')));
    node.synced = namesIn(node);
    node.pending = [];
    return useful;
  }
}

function nodeOf(operation: Exclude<Operation, { kind: 'sync' | 'rename' | 'remove' }>): DiskNode {
  if (operation.kind === 'makeFolder') return { kind: 'folder', synced: new Map(), pending: [] };
  if (operation.kind === 'link') return { kind: 'link', target: operation.target };
  if (operation.kind === 'write' || operation.kind === 'append')
    return { kind: 'file', synced: 0, bytes: operation.bytes };
  throw new Error(`${operation.kind} makes nothing`);
}

function syncedFolder(folder: string): FolderNode {
  const nodes = readdirSync(folder).map((name): [string, DiskNode] => {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) return [name, syncedFolder(path)];
    if (stat.isSymbolicLink()) return [name, { kind: 'link', target: readlinkSync(path) }];
    return [name, { kind: 'file', synced: stat.size, bytes: readFileSync(path) }];
  });
  return { kind: 'folder', synced: new Map(nodes), pending: [] };
}

function asNode(found: Found): DiskNode {
  if (found instanceof Uint8Array) return { kind: 'file', synced: found.length, bytes: found };
  if ('target' in found) return { kind: 'link', target: found.target };
  const nodes = [...found.entries].map(([name, inner]): [string, DiskNode] => [name, asNode(inner)]);
  return { kind: 'folder', synced: new Map(nodes), pending: [] };
}

function applied(synced: ReadonlyMap<string, DiskNode>, changes: readonly Change[]): Map<string, DiskNode> {
  const names = new Map(synced);
  for (const change of changes)
    for (const [name, node] of change)
      if (node === undefined) names.delete(name);
      else names.set(name, node);
  return names;
}

const namesIn = ({ synced, pending }: FolderNode) => applied(synced, pending);

function statesOf(node: DiskNode): Found[] {
  if (node.kind === 'link') return [{ target: node.target }];
  if (node.kind === 'file') return contentsOf(node);
  const states = new Map<string, FoundFolder>();
  for (let chosen = 0; chosen < 2 ** node.pending.length; chosen++) {
    const changes = node.pending.filter((_, i) => (chosen >> i) & 1);
    let folders: Map<string, Found>[] = [new Map()];
    for (const [name, inner] of [...applied(node.synced, changes)].sort(([a], [b]) => (a < b ? -1 : 1)))
      folders = statesOf(inner).flatMap(state => folders.map(folder => new Map(folder).set(name, state)));
    for (const entries of folders) states.set(fingerprint({ entries }), { entries });
  }
  return [...states.values()];
}

const blockBytes = 4096;

/** Nothing of what was not synced, all of it, as much as came until some byte or block, and zeros where something never came. */
function contentsOf({ synced, bytes }: FileNode): Uint8Array[] {
  const added = bytes.length - synced;
  if (added === 0) return [bytes];
  const nextBlock = Math.ceil((synced + 1) / blockBytes) * blockBytes;
  const cuts = [synced, synced + 1, synced + (added >> 1), nextBlock, bytes.length - 1, bytes.length];
  const contents = cuts.filter(cut => cut <= bytes.length).map(cut => bytes.subarray(0, cut));
  for (const cut of [synced, synced + (added >> 1)]) {
    const holed = Uint8Array.from(bytes);
    holed.fill(0, cut);
    contents.push(holed);
  }
  return [...new Map(contents.map(each => [fingerprint(each), each])).values()];
}

const known = new WeakMap<object, string>();

/** The same for the same content, and for no other; but a dead one's lock is like any other dead one's. */
export function fingerprint(found: Found): string {
  const before = known.get(found);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  if ('target' in found && found.target.startsWith('{')) return 'lock';
  if (found instanceof Uint8Array) hash.update('file').update(found);
  else if ('target' in found) hash.update('link').update(found.target);
  else for (const [name, inner] of found.entries) hash.update(`${name}/${fingerprint(inner)}/`);
  const print = hash.digest('hex');
  known.set(found, print);
  return print;
}

/** Writes what was found into an empty folder, as it is after a restart of the machine: the boot has another name. */
export function materialise(found: FoundFolder, folder: string, bootBefore: string): void {
  const later = (text: string) => text.replaceAll(bootBefore, '00000000-0000-4000-8000-000000000000');
  mkdirSync(folder, { recursive: true });
  for (const [name, inner] of found.entries) {
    const path = join(folder, later(name));
    if (inner instanceof Uint8Array)
      writeFileSync(path, name === 'running.json' ? later(Buffer.from(inner).toString('latin1')) : inner);
    else if ('target' in inner) symlinkSync(later(inner.target), path);
    else materialise(inner, path, bootBefore);
  }
}
